#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "runtime/snapshots/files/posix_file_layer.h"
#include "runtime/snapshots/hdf5/hdf5_reader.h"
#include "runtime/snapshots/snapshot_error.h"
#include "tests/runtime/data/temporary_directory.h"
#include "tests/runtime/snapshots/saved_run.h"

namespace negatron {
namespace {

namespace fs = std::filesystem;
using testing::SmallRun;
using testing::TemporaryDirectory;

struct Output {
  int code = -1;
  std::string text;
};

Output run_command(const std::string& command) {
  Output output;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return output;
  char block[4096];
  for (std::size_t count = 0; (count = fread(block, 1, sizeof block, pipe)) > 0;) output.text.append(block, count);
  output.code = pclose(pipe);
  return output;
}

/// Runs a script with h5py, if there is one.
Output run_python(const std::string& script, const std::string& arguments) {
  std::ostringstream command;
  command << NEGATRON_PYTHON " " NEGATRON_SNAPSHOT_SCRIPTS "/" << script << " " << arguments;
  return run_command(command.str());
}

/// For this scope the process may take so much more address space than it has.
class AddressSpaceLimit {
 public:
  explicit AddressSpaceLimit(std::int64_t more_bytes) {
    std::ifstream file("/proc/self/statm");
    std::int64_t pages = 0;
    file >> pages;
    getrlimit(RLIMIT_AS, &before_);
    rlimit now = before_;
    now.rlim_cur = static_cast<rlim_t>(pages * sysconf(_SC_PAGESIZE) + more_bytes);
    setrlimit(RLIMIT_AS, &now);
  }
  ~AddressSpaceLimit() { setrlimit(RLIMIT_AS, &before_); }
  AddressSpaceLimit(const AddressSpaceLimit&) = delete;
  AddressSpaceLimit& operator=(const AddressSpaceLimit&) = delete;

 private:
  rlimit before_{};
};

bool has_h5py() {
  return run_command(NEGATRON_PYTHON " -c 'import h5py'").code == 0;
}

TEST(Readers, H5pySeesOneBankAndAllThatIsInIt) {
  if (!has_h5py()) GTEST_SKIP() << "needs h5py in " << NEGATRON_PYTHON;
  for (const at::ScalarType dtype : {at::kFloat, at::kHalf, at::kBFloat16}) {
    // Batches of several sizes, so that the virtual dataset has several runs and starts inside a batch.
    const SmallRun run{23, 4, dtype, BankFill::kRandom, {6, 6, 2, 5}};
    const TemporaryDirectory directory;
    PosixFileLayer files;
    const std::int64_t steps = 7;
    ASSERT_EQ(testing::save(run, files, directory.path(), steps, 3).state, SaveState::kCommitted);
    {
      std::ofstream expected(directory / "expected.txt");
      expected.precision(17);
      const testing::PlainQueue queue = run.queue(steps);
      for (const testing::PlainQueue::Entry& entry : queue.entries()) {
        expected << entry.sequence << ' ' << entry.id << ' ' << entry.label << ' ' << entry.step;
        for (std::int64_t i = 0; i < run.width; ++i) expected << ' ' << entry.vector[i].item<double>();
        expected << '\n';
      }
    }
    const Output output = run_python("read_bank.py", (directory / ("snapshots/" + step_name(steps))).string() + " " +
                                                         (directory / "expected.txt").string());
    EXPECT_EQ(output.code, 0) << output.text;
  }
}

TEST(Readers, H5lsAndH5dumpReadEveryFile) {
  if (run_command("h5dump --version").code != 0) GTEST_SKIP() << "needs hdf5-tools";
  const SmallRun run;
  const TemporaryDirectory directory;
  PosixFileLayer files;
  ASSERT_EQ(testing::save(run, files, directory.path(), 7, 2).state, SaveState::kCommitted);
  const fs::path snapshot = directory / ("snapshots/" + step_name(7));
  const Output list = run_command("h5ls -r " + (snapshot / "bank.h5").string());
  EXPECT_EQ(list.code, 0);
  EXPECT_NE(list.text.find("/rows                    Dataset {23, 5}"), std::string::npos) << list.text;
  const Output dump = run_command("h5dump -d /sequence -y -w 0 " + (snapshot / "bank.h5").string());
  EXPECT_EQ(dump.code, 0);
  // 23 random rows and 7 batches of 6; the last 23 count.
  EXPECT_NE(dump.text.find("42, 43, 44, 45, 46"), std::string::npos) << dump.text;
  EXPECT_EQ(run_command("h5dump " + (snapshot / "trainer.h5").string()).code, 0);
  EXPECT_EQ(run_command("h5dump " + (snapshot / bank_file_name(1, 2)).string()).code, 0);
}

TEST(Readers, HostileFilesAreRefusedWithTheReason) {
  if (!has_h5py()) GTEST_SKIP() << "needs h5py in " << NEGATRON_PYTHON;
  const TemporaryDirectory directory;
  const Output made = run_python("make_hostile_files.py", directory.path().string());
  ASSERT_EQ(made.code, 0) << made.text;
  const auto refusal = [&](const std::string& file) -> std::string {
    try {
      const at::Tensor rows = Hdf5Reader(directory / file).read("rows");
      return "read " + std::to_string(rows.numel()) + " elements";
    } catch (const SnapshotError& error) {
      return error.what();
    }
  };
  EXPECT_EQ(refusal("good.h5"), "read 6 elements");
  EXPECT_EQ(refusal("chunked.h5"), "read 6 elements");
  const std::pair<const char*, const char*> expected[] = {{"external_link.h5", "a link and not an object"},
                                                          {"soft_link.h5", "a link and not an object"},
                                                          {"virtual.h5", "a virtual dataset"},
                                                          {"external_storage.h5", "external storage"},
                                                          {"compressed.h5", "compressed or filtered"},
                                                          {"huge.h5", "more elements than the file has bytes"},
                                                          {"hollow.h5", "more elements than the file has bytes"},
                                                          {"sparse.h5", "not all in the file"},
                                                          {"group.h5", "HDF5 failed at opening"},
                                                          {"big_endian.h5", "does not hold fp64"},
                                                          {"text.h5", "does not hold fp64"},
                                                          {"not_hdf5.h5", "HDF5 failed at opening"},
                                                          {"empty.h5", "HDF5 failed at opening"},
                                                          {"absent.h5", "No such file"},
                                                          {"no_rows.h5", "HDF5 failed at finding"},
                                                          {"overflow.h5", "more elements than the file has bytes"}};
  // What a file claims takes no memory: an allocation of it would fail.
  const AddressSpaceLimit limit(std::int64_t{256} << 20);
  for (const auto& [file, reason] : expected) {
    EXPECT_NE(refusal(file).find(reason), std::string::npos) << file << ": " << refusal(file);
  }
}

}  // namespace
}  // namespace negatron

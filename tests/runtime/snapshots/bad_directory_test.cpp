#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <functional>

#include <gtest/gtest.h>

#include "comm/threads/thread_communicator.h"
#include "runtime/snapshots/files/posix_file_layer.h"
#include "tests/runtime/data/temporary_directory.h"
#include "tests/runtime/snapshots/saved_run.h"

namespace negatron {
namespace {

namespace fs = std::filesystem;
using testing::SmallRun;
using testing::TemporaryDirectory;

constexpr int kRanks = 2;

/// Saves step `step`; returns the reason why it failed, which must be the same on all ranks, or nothing.
std::string refusal(const SmallRun& run, FileLayer& files, const fs::path& directory, std::int64_t step,
                    const SavePointHook& at_save_point = {}) {
  std::string reason;
  run_ranks(kRanks, CommunicatorOptions{.check = true}, [&](Communicator& comm) {
    Bank bank = run.bank(comm.rank(), comm.size());
    run.train(bank, 0, step);
    SnapshotOptions options;
    options.at_save_point = at_save_point;
    SnapshotStore store(files, directory, options);
    std::string own;
    try {
      store.start_save(comm, step, run.state(step), {{&bank}});
      const SaveReport report = store.finish(comm);
      if (report.state != SaveState::kCommitted) own = report.problem.empty() ? "no reason" : report.problem;
    } catch (const SnapshotError& error) {
      own = error.what();
    }
    comm.agree("the refusal of a save", own);
    EXPECT_FALSE(store.saving());
    if (comm.rank() == 0) reason = own;
  });
  return reason;
}

TEST(BadDirectory, OneThatIsMissingIsMadeWithThoseAboveIt) {
  const SmallRun run;
  PosixFileLayer files;
  const TemporaryDirectory directory;
  EXPECT_EQ(refusal(run, files, directory / "gone/run", 4), "");
  EXPECT_EQ(testing::restored_step(run, files, directory / "gone/run", kRanks), 4);
}

TEST(BadDirectory, AFileInItsPlaceIsNamedOnAllRanks) {
  const SmallRun run;
  PosixFileLayer files;
  const TemporaryDirectory directory;
  std::ofstream(directory / "snapshots") << "in the way";
  const std::string reason = refusal(run, files, directory.path(), 4);
  EXPECT_NE(reason.find((directory / "snapshots").string()), std::string::npos) << reason;
  EXPECT_NE(reason.find("Not a directory"), std::string::npos) << reason;
}

TEST(BadDirectory, OneThatIsRemovedDuringASaveFailsItAndTheNextMakesItAgain) {
  const SmallRun run;
  PosixFileLayer files;
  for (const char* stage : {"data", "verify", "manifest", "rename"}) {
    const TemporaryDirectory directory;
    ASSERT_EQ(refusal(run, files, directory.path(), 2), "");
    const std::string reason = refusal(run, files, directory.path(), 4, [&](std::string_view reached) {
      std::error_code ignored;
      if (reached == stage) fs::remove_all(directory / "snapshots", ignored);
    });
    EXPECT_NE(reason.find("Could not "), std::string::npos) << stage << ": " << reason;
    EXPECT_EQ(testing::restored_step(run, files, directory.path(), kRanks), -1) << stage;
    EXPECT_EQ(refusal(run, files, directory.path(), 6), "");
    EXPECT_EQ(testing::restored_step(run, files, directory.path(), kRanks), 6) << stage;
  }
}

/// A small file system of its own, which nobody outside this test sees.
class SmallDisk : public ::testing::Test {
 protected:
  void SetUp() override {
    // Of this thread and those that it starts.
    const bool mounted = ::unshare(CLONE_NEWNS) == 0 &&
                         ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                         ::mount("tmpfs", disk_.path().c_str(), "tmpfs", 0, "size=8m") == 0;
    if (!mounted) {
      GTEST_SKIP() << "needs the right to mount a tmpfs (" << std::strerror(errno)
                   << "); FailingDisk.* have the same through the file layer";
    }
    mounted_ = true;
  }
  void TearDown() override {
    if (mounted_) ::umount2(disk_.path().c_str(), MNT_DETACH);
  }

  /// Leaves about this many bytes.
  void fill_but(std::int64_t bytes) {
    const std::int64_t free = static_cast<std::int64_t>(fs::space(disk_.path()).available);
    ASSERT_GT(free, bytes);
    std::ofstream(disk_ / "filler") << std::string(static_cast<std::size_t>(free - bytes), 'x');
  }

  TemporaryDirectory disk_;
  PosixFileLayer files_;

 private:
  bool mounted_ = false;
};

TEST_F(SmallDisk, AFullOneFailsTheSaveAndKeepsTheOldSnapshot) {
  // 1.3 MB in two shards.
  const SmallRun run{5000, 64, at::kFloat, BankFill::kRandom, {100}};
  ASSERT_EQ(refusal(run, files_, disk_.path(), 2), "");
  // From nearly nothing to all but the manifest and the bank's last blocks.
  for (const std::int64_t left : {4096, 300000, 1000000, 1340000}) {
    fill_but(left);
    const std::string reason = refusal(run, files_, disk_.path(), 4);
    EXPECT_NE(reason.find("No space left on device"), std::string::npos) << left << ": " << reason;
    EXPECT_EQ(files_.list(disk_ / "snapshots"), std::vector<std::string>{step_name(2)}) << left;
    EXPECT_EQ(testing::restored_step(run, files_, disk_.path(), kRanks), 2) << left;
    fs::remove(disk_ / "filler");
  }
  EXPECT_EQ(refusal(run, files_, disk_.path(), 6), "");
  EXPECT_EQ(testing::restored_step(run, files_, disk_.path(), 3), 6);
}

TEST_F(SmallDisk, AReadOnlyOneIsNamedBeforeAnythingIsWritten) {
  const SmallRun run;
  ASSERT_EQ(refusal(run, files_, disk_.path(), 2), "");
  ASSERT_EQ(::mount(nullptr, disk_.path().c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr), 0);
  const std::string reason = refusal(run, files_, disk_.path(), 4);
  EXPECT_NE(reason.find("Read-only file system"), std::string::npos) << reason;
  EXPECT_NE(reason.find((disk_ / "snapshots").string()), std::string::npos) << reason;
  EXPECT_EQ(testing::restored_step(run, files_, disk_.path(), kRanks), 2);
}

TEST_F(SmallDisk, OnAReadOnlyOneADamagedSnapshotIsPassedOverWhereItLies) {
  const SmallRun run;
  ASSERT_EQ(refusal(run, files_, disk_.path(), 2), "");
  ASSERT_EQ(refusal(run, files_, disk_.path(), 4), "");
  std::ofstream(disk_ / ("snapshots/" + step_name(4) + "/trainer.h5")) << "nothing";
  ASSERT_EQ(::mount(nullptr, disk_.path().c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr), 0);
  std::vector<std::string> said;
  EXPECT_EQ(testing::restored_step(run, files_, disk_.path(), kRanks, &said), 2);
  ASSERT_EQ(said.size(), 1U);
  EXPECT_NE(said.front().find("could not be put into quarantine"), std::string::npos) << said.front();
}

}  // namespace
}  // namespace negatron

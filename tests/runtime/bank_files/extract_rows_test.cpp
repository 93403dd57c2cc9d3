#include "runtime/bank_files/extract_rows.h"

#include <gtest/gtest.h>

#include "runtime/snapshots/hdf5/hdf5_reader.h"
#include "tests/runtime/bank_files/made_bank.h"
#include "tests/runtime/data/temporary_directory.h"

namespace negatron {
namespace {

namespace fs = std::filesystem;
using testing::kPlenty;
using testing::opened;
using testing::SmallRun;
using testing::TemporaryDirectory;

class ExtractRows : public ::testing::TestWithParam<at::ScalarType> {
 protected:
  /// The file's rows are those of the queue that `wanted` is true for, oldest first.
  void expect_file(const fs::path& path, const std::function<bool(const testing::PlainQueue::Entry&)>& wanted) {
    const Hdf5Reader file(path);
    const at::Tensor rows = file.read("rows");
    EXPECT_EQ(rows.scalar_type(), run_.dtype);
    std::int64_t next = 0;
    const testing::PlainQueue queue = run_.queue(kSteps);
    for (const testing::PlainQueue::Entry& entry : queue.entries()) {
      if (!wanted(entry)) continue;
      ASSERT_LT(next, rows.size(0));
      EXPECT_TRUE(at::equal(rows[next], entry.vector));
      EXPECT_EQ(file.read("ids")[next].item<std::int64_t>(), entry.id);
      EXPECT_EQ(file.read("labels")[next].item<std::int64_t>(), entry.label);
      EXPECT_EQ(file.read("steps")[next].item<std::int64_t>(), entry.step);
      EXPECT_EQ(file.read("sequence")[next].item<std::int64_t>(), entry.sequence);
      ++next;
    }
    EXPECT_EQ(next, rows.size(0));
    EXPECT_EQ(file.integer_attribute("/", "snapshot_step"), kSteps);
  }

  static constexpr std::int64_t kSteps = 7;
  SmallRun run_{23, 5, GetParam(), BankFill::kRandom, {6, 2, 7}};
  TemporaryDirectory directory_;
  PosixFileLayer files_;
};

TEST_P(ExtractRows, ByIdAndByRange) {
  const OpenBank bank = opened(files_, testing::save_run(run_, files_, directory_ / "run", kSteps, 3));
  const BankMemory memory(kPlenty);
  const FoundKeys found = find_keys(bank, KeyColumn::kId, {8, 3, 3, 77, 0}, memory);
  EXPECT_EQ(found.missing, std::vector<std::int64_t>{77});
  extract_rows(files_, bank, directory_ / "ids.h5", found.sequence, memory);
  expect_file(directory_ / "ids.h5", [](const auto& entry) { return entry.id == 8 || entry.id == 3 || entry.id == 0; });

  const std::int64_t floor = bank.layout().floor();
  extract_rows(files_, bank, directory_ / "range.h5", keys_in(bank, {floor + 2, floor + 19}, memory), memory);
  expect_file(directory_ / "range.h5",
              [&](const auto& entry) { return entry.sequence >= floor + 2 && entry.sequence < floor + 19; });
}

INSTANTIATE_TEST_SUITE_P(Types, ExtractRows, ::testing::Values(at::kDouble, at::kFloat, at::kHalf, at::kBFloat16));

TEST(ExtractRowsRefusals, SayWhatThereIs) {
  const TemporaryDirectory directory;
  PosixFileLayer files;
  const OpenBank bank = opened(files, testing::save_run({}, files, directory / "run", 7, 2));
  const BankMemory memory(kPlenty);
  const auto range = [&](Range keys) { return testing::refusal([&] { keys_in(bank, keys, memory); }); };
  EXPECT_NE(range({41, 45}).find("--range 41:45 is not part of this bank, whose keys are 42:65"), std::string::npos);
  EXPECT_NE(range({60, 66}).find("42:65"), std::string::npos);
  EXPECT_NE(range({50, 50}).find("usage: "), std::string::npos);
  EXPECT_NE(testing::refusal([&] {
              find_keys(bank, KeyColumn::kId, {3, -1}, memory);
            }).find("-1 is no sample id"),
            std::string::npos);
  EXPECT_NE(testing::refusal([&] { extract_rows(files, bank, directory / "run", {42}, memory); }).find("exists"),
            std::string::npos);
  // A file that cannot be finished is not there.
  fs::remove(bank.path / "bank.00001-of-00002.h5");
  EXPECT_NE(testing::refusal([&] {
              extract_rows(files, bank, directory / "x.h5", {42, 46}, memory);
            }).find("snapshot"),
            std::string::npos);
  EXPECT_EQ(std::distance(fs::directory_iterator(directory.path()), fs::directory_iterator()), 1);
}

}  // namespace
}  // namespace negatron

#include "runtime/bank_files/diff_banks.h"

#include <gtest/gtest.h>

#include "tests/runtime/bank_files/made_bank.h"
#include "tests/runtime/data/temporary_directory.h"

namespace negatron {
namespace {

using testing::kPlenty;
using testing::MadeRow;
using testing::opened;
using testing::SmallRun;
using testing::TemporaryDirectory;

class DiffBanks : public ::testing::Test {
 protected:
  BankDiff diff(const std::vector<MadeRow>& a, const std::vector<MadeRow>& b, at::ScalarType dtype_b = at::kDouble) {
    const TemporaryDirectory directory;
    testing::write_made_bank(files_, directory / "a", a, 2);
    testing::write_made_bank(files_, directory / "b", b, 3, 100, dtype_b);
    return diff_banks(opened(files_, directory / "a"), opened(files_, directory / "b"), BankMemory(kPlenty));
  }

  PosixFileLayer files_;
  const std::vector<MadeRow> rows_{{0.1}, {0.2}, {0.3, 4, 1, 5}, {0.4, 5, 2, 5}, {0.5, 4, 1, 6}};
};

TEST_F(DiffBanks, EqualBanksAreEqual) {
  const BankDiff found = diff(rows_, rows_);
  EXPECT_TRUE(found.equal());
  EXPECT_EQ(found.common, 5);
}

TEST_F(DiffBanks, ACountForEveryWayToDiffer) {
  std::vector<MadeRow> other = rows_;
  other[3].angle = 0.41;  // the vector of a sample and step
  other[1].angle = 0.21;  // a random row: told by its vector alone
  other[4].step = 7;      // another step is another row
  const BankDiff found = diff(rows_, other);
  EXPECT_FALSE(found.equal());
  EXPECT_EQ(found.common, 2);
  EXPECT_EQ(found.changed, 1);
  EXPECT_EQ(found.only_a, 2);
  EXPECT_EQ(found.only_b, 2);
  EXPECT_FALSE(found.same_order);
}

TEST_F(DiffBanks, TheSmallestChangeOfAVectorIsSeen) {
  std::vector<MadeRow> other = rows_;
  other[2].angle = std::nextafter(0.3, 1.0) + 1e-15;
  EXPECT_EQ(diff(rows_, other).changed, 1);
}

TEST_F(DiffBanks, OrderAndLabelsCountToo) {
  std::vector<MadeRow> swapped = rows_;
  std::swap(swapped[2], swapped[3]);
  BankDiff found = diff(rows_, swapped);
  EXPECT_EQ(found.common, 5);
  EXPECT_FALSE(found.same_order);
  EXPECT_FALSE(found.equal());

  std::vector<MadeRow> relabelled = rows_;
  relabelled[4].label = 0;
  found = diff(rows_, relabelled);
  EXPECT_EQ(found.common, 5);
  EXPECT_TRUE(found.same_order);
  EXPECT_FALSE(found.same_labels);
  EXPECT_FALSE(found.equal());
}

TEST_F(DiffBanks, ARowThatIsThereTwiceCountsTwice) {
  std::vector<MadeRow> twice = rows_;
  twice.push_back(rows_[4]);
  const BankDiff found = diff(rows_, twice);
  EXPECT_EQ(found.common, 5);
  EXPECT_EQ(found.only_a, 0);
  EXPECT_EQ(found.only_b, 1);
}

TEST_F(DiffBanks, RowsOfAnotherTypeAreOtherRows) {
  const BankDiff found = diff(rows_, rows_, at::kFloat);
  EXPECT_EQ(found.common, 0);
  EXPECT_EQ(found.changed, 3);
  EXPECT_EQ(found.only_a, 2);
  EXPECT_EQ(found.only_b, 2);
}

TEST_F(DiffBanks, TwoStepsLaterOneBatchIsOtherwise) {
  const TemporaryDirectory directory;
  const SmallRun run;
  const OpenBank a = opened(files_, testing::save_run(run, files_, directory / "a", 7, 2));
  const OpenBank b = opened(files_, testing::save_run(run, files_, directory / "b", 8, 3));
  const BankDiff found = diff_banks(a, b, BankMemory(kPlenty));
  EXPECT_EQ(found.common, 23 - 6);
  EXPECT_EQ(found.only_a, 6);
  EXPECT_EQ(found.only_b, 6);
}

TEST_F(DiffBanks, LittleMemoryMeansMorePassesAndTheSameAnswer) {
  const TemporaryDirectory directory;
  const SmallRun run{20000, 8, at::kFloat, BankFill::kRandom, {600}};
  const OpenBank a = opened(files_, testing::save_run(run, files_, directory / "a", 60, 2));
  const OpenBank b = opened(files_, testing::save_run(run, files_, directory / "b", 65, 1));
  // 40000 digests of 24 bytes do not fit into half of this.
  const BankDiff found = diff_banks(a, b, BankMemory(std::int64_t{1} << 19));
  EXPECT_EQ(found.common, 20000 - 5 * 600);
  EXPECT_EQ(found.only_a, 5 * 600);
  EXPECT_EQ(found.only_b, 5 * 600);
  EXPECT_EQ(found.changed, 0);
}

}  // namespace
}  // namespace negatron

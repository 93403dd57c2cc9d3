#include "runtime/bank_files/compare_rows.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/runtime/bank_files/made_bank.h"
#include "tests/runtime/data/temporary_directory.h"

namespace negatron::testing {
namespace {

class CompareRows : public ::testing::Test {
 protected:
  RowAgreement compared(const std::vector<MadeRow>& a, const std::vector<MadeRow>& b,
                        at::ScalarType dtype_b = at::kDouble, std::int64_t memory = kPlenty) {
    const TemporaryDirectory directory;
    write_made_bank(files_, directory / "a", a, 2);
    write_made_bank(files_, directory / "b", b, 3, 100, dtype_b);
    return compare_rows(opened(files_, directory / "a"), opened(files_, directory / "b"), BankMemory(memory));
  }

  PosixFileLayer files_;
  const std::vector<MadeRow> rows_{{0.1}, {0.2}, {0.3, 4, 1, 5}, {0.4, 5, 2, 5}, {0.5, 4, 1, 6}};
};

TEST_F(CompareRows, EqualRowsDifferByNothing) {
  const RowAgreement found = compared(rows_, rows_);
  EXPECT_EQ(found.pairs, 5);
  EXPECT_TRUE(found.all_in_order);
  EXPECT_EQ(found.largest_difference, 0.0);
  EXPECT_NEAR(found.smallest_cosine, 1.0, 1e-15);
  EXPECT_TRUE(found.why_not.empty());
}

TEST_F(CompareRows, TheRowThatDiffersMostCounts) {
  std::vector<MadeRow> other = rows_;
  other[1].angle += 0.001;
  other[3].angle += 0.25;
  const RowAgreement found = compared(rows_, other);
  EXPECT_TRUE(found.all_in_order);
  EXPECT_NEAR(found.smallest_cosine, std::cos(0.25), 1e-12);
  EXPECT_NEAR(found.largest_difference,
              std::max(std::abs(std::cos(0.65) - std::cos(0.4)), std::sin(0.65) - std::sin(0.4)), 1e-12);
}

TEST_F(CompareRows, TypesMayDiffer) {
  const RowAgreement found = compared(rows_, rows_, at::kHalf);
  EXPECT_EQ(found.pairs, 5);
  EXPECT_GT(found.largest_difference, 1e-5);
  EXPECT_LT(found.largest_difference, 1e-3);
}

TEST_F(CompareRows, InAnotherOrderRowsArePairedByIdAndStep) {
  // The bank of five rows, of which the two of step 5 changed places, the last is of another step, and one random row
  // is gone: three pairs are left.
  const std::vector<MadeRow> other{{0.15}, {0.45, 5, 2, 5}, {0.3, 4, 1, 5}, {0.5, 4, 1, 7}};
  const RowAgreement found = compared(rows_, other);
  EXPECT_FALSE(found.all_in_order);
  EXPECT_EQ(found.pairs, 3);
  EXPECT_NEAR(found.smallest_cosine, std::cos(0.05), 1e-12);
}

TEST_F(CompareRows, TheNthOfAKeyMeetsTheNth) {
  const std::vector<MadeRow> a{{0.1, 4, 1, 5}, {0.2, 4, 1, 5}, {0.3, 4, 1, 5}, {0.4, 7, 1, 6}};
  const std::vector<MadeRow> b{{0.1, 4, 1, 5}, {0.2, 4, 1, 5}, {0.4, 8, 1, 6}};
  const RowAgreement found = compared(a, b);
  EXPECT_EQ(found.pairs, 2);
  EXPECT_EQ(found.largest_difference, 0.0);
}

TEST_F(CompareRows, SaysWhyNothingCouldBeCompared) {
  const RowAgreement none = compared({{0.1, 4, 1, 5}}, {{0.1, 5, 1, 5}});
  EXPECT_EQ(none.pairs, 0);
  EXPECT_TRUE(std::isnan(none.largest_difference));
  EXPECT_NE(none.why_not.find("no row of A"), std::string::npos);
}

}  // namespace
}  // namespace negatron::testing

// What is done with bank files, of rows that are not unit rows.

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "runtime/bank_files/bank_info.h"
#include "runtime/bank_files/diff_banks.h"
#include "runtime/bank_files/import_rows.h"
#include "runtime/bank_files/merge_banks.h"
#include "runtime/bank_files/near_rows.h"
#include "runtime/bank_files/reshard_bank.h"
#include "runtime/bank_files/verify_bank.h"
#include "tests/runtime/bank_files/made_bank.h"
#include "tests/runtime/bank_files/made_matrix.h"
#include "tests/runtime/data/temporary_directory.h"

namespace negatron {
namespace {

using testing::kPlenty;
using testing::MadeRow;

class RawBanks : public ::testing::Test {
 protected:
  std::filesystem::path made(const std::string& name, const std::vector<MadeRow>& rows,
                             RowLength length = RowLength::kAsMade) {
    testing::write_made_bank(files_, directory_ / name, rows, 2, 100, at::kDouble, length);
    return directory_ / name;
  }
  OpenBank bank(const std::string& name) { return testing::opened(files_, directory_ / name); }
  bool is_good(const std::string& name) { return verify_bank(files_, directory_ / name, BankMemory(kPlenty)).good(); }

  /// Lengths 0 to 30, ids, steps.
  const std::vector<MadeRow> rows_{{0.1, 1, 0, 4, 0.0}, {0.2, 2, 1, 4, 30.0}, {0.9, 3, 0, 5, 0.5}, {2.0, 4, 1, 6, 1.0}};
  testing::TemporaryDirectory directory_;
  PosixFileLayer files_;
};

TEST_F(RawBanks, AreVerifiedForFiniteNumbersAlone) {
  made("raw", rows_);
  EXPECT_TRUE(is_good("raw"));
  made("unit", rows_, RowLength::kUnit);
  EXPECT_FALSE(is_good("unit")) << "the same rows are none of a bank of unit rows";
  std::vector<MadeRow> broken = rows_;
  broken[2].norm = std::numeric_limits<double>::infinity();
  made("broken", broken);
  EXPECT_FALSE(is_good("broken"));
}

TEST_F(RawBanks, AreDescribedByTheirDirections) {
  const BankInfo raw = bank_info(testing::opened(files_, made("raw", rows_)), {}, BankMemory(kPlenty));
  EXPECT_EQ(raw.norm_min, 0.0);
  EXPECT_NEAR(raw.norm_max, 30.0, 1e-12);
  std::vector<MadeRow> turned{rows_[1], rows_[2], rows_[3]};
  const BankInfo some = bank_info(testing::opened(files_, made("some", turned)), {}, BankMemory(kPlenty));
  for (MadeRow& row : turned) row.norm = 1.0;
  const BankInfo unit =
      bank_info(testing::opened(files_, made("unit", turned, RowLength::kUnit)), {}, BankMemory(kPlenty));
  EXPECT_NEAR(some.uniformity, unit.uniformity, 1e-12);
  EXPECT_TRUE(std::isfinite(raw.uniformity)) << "also with a row of zeros";
}

TEST_F(RawBanks, StayRawWhenTheyAreReshardedAndMerged) {
  made("raw", rows_);
  reshard_banks(files_, {bank("raw")}, directory_ / "three", 3, BankMemory(kPlenty));
  EXPECT_EQ(bank("three").bank().length, RowLength::kAsMade);
  EXPECT_TRUE(diff_banks(bank("raw"), bank("three"), BankMemory(kPlenty)).equal());
  made("later", {{0.5, 9, 0, 7, 12.0}});
  merge_banks(files_, {bank("raw"), bank("later")}, directory_ / "merged", {}, BankMemory(kPlenty));
  EXPECT_EQ(bank("merged").bank().length, RowLength::kAsMade);
  EXPECT_TRUE(is_good("three") && is_good("merged"));
}

TEST_F(RawBanks, AreNotMixedWithUnitBanks) {
  const std::vector<MadeRow> rows{{0.1, 1, 0, 4}, {0.2, 2, 1, 4}};
  made("raw", rows);
  made("unit", rows, RowLength::kUnit);
  const std::string refused = testing::refusal([&] {
    merge_banks(files_, {bank("raw"), bank("unit")}, directory_ / "merged", {}, BankMemory(kPlenty));
  });
  EXPECT_NE(refused.find("has rows of length raw and"), std::string::npos) << refused;
  EXPECT_NE(refused.find("of length unit: they cannot be in one bank"), std::string::npos) << refused;
  EXPECT_FALSE(std::filesystem::exists(directory_ / "merged"));
  const BankDiff diff = diff_banks(bank("raw"), bank("unit"), BankMemory(kPlenty));
  EXPECT_FALSE(diff.equal()) << "equal numbers are other scores";
  EXPECT_EQ(diff.common, 0);
}

TEST_F(RawBanks, AreImportedOnRequest) {
  const at::Tensor rows = at::tensor({3.0, 4.0, 0.0, 0.0, -0.1, 0.2}, at::kDouble).view({3, 2});
  ImportOptions options;
  options.raw = true;
  options.batch = 2;
  import_rows(files_, testing::MadeMatrix(rows), directory_ / "bank", options, BankMemory(kPlenty));
  EXPECT_EQ(bank("bank").bank().length, RowLength::kAsMade);
  EXPECT_TRUE(is_good("bank"));
  for_each_block(bank("bank"), 9, [&](const BankBlock& block) { EXPECT_TRUE(at::equal(block.vectors, rows)); });
  const auto refusal = [&](const ImportOptions& asked, const at::Tensor& matrix) {
    return testing::refusal(
        [&] { import_rows(files_, testing::MadeMatrix(matrix), directory_ / "never", asked, BankMemory(kPlenty)); });
  };
  EXPECT_NE(refusal({}, rows).find("--raw keeps them"), std::string::npos);
  at::Tensor broken = rows.clone();
  broken[1][1] = std::nan("");
  EXPECT_NE(refusal(options, broken).find("not finite"), std::string::npos);
  options.normalize = true;
  EXPECT_NE(refusal(options, rows).find("leave one of them out"), std::string::npos);
}

TEST_F(RawBanks, NearIsWhatHasTheLargestProduct) {
  made("raw", rows_);
  const at::Tensor asked = at::tensor({2.0, 0.0}, at::kDouble).view({1, 2});
  const auto nearest = [&](bool normalize) {
    const NearQueries queries =
        queries_of_matrix(bank("raw"), testing::MadeMatrix(asked), {0, 1}, normalize, BankMemory(kPlenty));
    return near_rows(bank("raw"), queries, 2, BankMemory(kPlenty));
  };
  EXPECT_EQ(nearest(false).ids[0][0].item<std::int64_t>(), 2) << "the longest row";
  EXPECT_NEAR(nearest(false).scores[0][0].item<double>(), 2.0 * 30.0 * std::cos(0.2), 1e-12);
  EXPECT_NEAR(nearest(true).scores[0][0].item<double>(), 30.0 * std::cos(0.2), 1e-12);
}

}  // namespace
}  // namespace negatron

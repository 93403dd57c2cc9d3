#include "runtime/bank_files/bank_info.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/runtime/bank_files/made_bank.h"
#include "tests/runtime/data/temporary_directory.h"

namespace negatron {
namespace {

using testing::kPlenty;
using testing::MadeRow;
using testing::opened;
using testing::SmallRun;
using testing::TemporaryDirectory;

BankInfo info_of(const std::vector<MadeRow>& rows, const BankInfoOptions& options = {},
                 std::int64_t snapshot_step = 100) {
  const TemporaryDirectory directory;
  PosixFileLayer files;
  testing::write_made_bank(files, directory / "bank", rows, 2, snapshot_step);
  return bank_info(opened(files, directory / "bank"), options, BankMemory(kPlenty));
}

TEST(BankInfo, AgesInTenBins) {
  std::vector<MadeRow> rows{{0.1}, {0.2}};
  // 25 steps from 76 to 100: ages 0 to 24 in bins of 3; two rows for step 100.
  for (std::int64_t step = 76; step <= 100; ++step) rows.push_back({0.01 * static_cast<double>(step), 1, 0, step});
  rows.push_back({3.0, 2, 0, 100});
  const BankInfo info = info_of(rows);
  EXPECT_EQ(info.rows_without_step, 2);
  EXPECT_EQ(info.rows_without_id, 2);
  ASSERT_EQ(info.ages.size(), 9U);
  EXPECT_EQ(info.ages.front().first, 0);
  EXPECT_EQ(info.ages.front().last, 2);
  EXPECT_EQ(info.ages.front().rows, 4);
  EXPECT_EQ(info.ages.back().first, 24);
  EXPECT_EQ(info.ages.back().rows, 1);
  EXPECT_DOUBLE_EQ(info.mean_age, (24.0 * 25.0 / 2.0) / 26.0);
}

TEST(BankInfo, LabelsNormsAndWhatIsNotFinite) {
  const double none = std::numeric_limits<double>::infinity();
  const BankInfo info =
      info_of({{0.1, 1, 3, 5}, {0.2, 2, 3, 5, 1.5}, {0.3, 3, 0, 5, 0.25}, {0.4, 4, -1, 5}, {0.5, 5, 0, 5, none}});
  EXPECT_EQ(info.labels, (std::map<std::int64_t, std::int64_t>{{0, 2}, {3, 2}}));
  EXPECT_EQ(info.rows_without_label, 1);
  EXPECT_DOUBLE_EQ(info.norm_min, 0.25);
  EXPECT_DOUBLE_EQ(info.norm_max, 1.5);
  EXPECT_DOUBLE_EQ(info.norm_mean, 3.75 / 4.0);
  EXPECT_EQ(info.rows_not_finite, 1);
}

TEST(BankInfo, UniformityIsItsDefinitionOverASampleThatTheSeedChooses) {
  std::vector<MadeRow> rows;
  for (std::int64_t i = 0; i < 40; ++i) rows.push_back({0.07 * static_cast<double>(i * i % 90), i, 0, i});
  const auto definition = [&](const std::vector<MadeRow>& some) {
    double sum = 0.0;
    double pairs = 0.0;
    for (std::size_t i = 0; i < some.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        const double distance = 2.0 * std::sin(0.5 * (some[i].angle - some[j].angle));
        sum += std::exp(-2.0 * distance * distance);
        pairs += 1.0;
      }
    }
    return std::log(sum / pairs);
  };
  BankInfo info = info_of(rows);
  EXPECT_EQ(info.uniformity_rows, 40);
  EXPECT_NEAR(info.uniformity, definition(rows), 1e-12);
  // Two drawn rows: the value is that of some pair, and another seed draws another pair.
  const auto of_pair = [&](std::uint64_t seed) { return info_of(rows, {seed, 2}).uniformity; };
  const double drawn = of_pair(1);
  bool is_a_pair = false;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      is_a_pair = is_a_pair || std::abs(drawn - definition({rows[i], rows[j]})) < 1e-12;
    }
  }
  EXPECT_TRUE(is_a_pair);
  EXPECT_EQ(of_pair(1), drawn);
  EXPECT_NE(of_pair(2), drawn);
}

TEST(BankInfo, AnEmptyBankHasNoNumbers) {
  const TemporaryDirectory directory;
  PosixFileLayer files;
  const SmallRun empty{50, 3, at::kFloat, BankFill::kEmpty, {6}};
  const OpenBank bank = opened(files, testing::save_run(empty, files, directory / "run", 0, 2));
  const BankInfo info = bank_info(bank, {}, BankMemory(kPlenty));
  EXPECT_TRUE(std::isnan(info.uniformity));
  EXPECT_TRUE(std::isnan(info.norm_mean));
  EXPECT_TRUE(info.ages.empty());
  EXPECT_GT(info.snapshot_bytes, info.bank_bytes);
}

}  // namespace
}  // namespace negatron

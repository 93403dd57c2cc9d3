// Screening by fp32 scores against a full sort by exact ones, where fp32 cannot tell rows apart.

#include "samplers/pass/screened_keys.h"

#include <limits>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "tests/reference/plain_selection.h"
#include "tests/samplers/pass/pass_trial.h"

namespace negatron {
namespace {

using testing::kTrialWidth;
using testing::make_candidates;
using testing::make_rows;
using testing::unit_rows;

/// Both at once: that the rows are screened at all, and that the keys are those of a full sort.
void expect_plain(const Rows& rows, const Candidates& candidates, std::int64_t m) {
  SCOPED_TRACE(std::string(at::toString(rows.vectors.scalar_type())) + ", m " + std::to_string(m));
  const std::optional<at::Tensor> keys = screened_best_keys(rows, candidates, {}, m);
  ASSERT_TRUE(keys.has_value());
  EXPECT_TRUE(at::equal(*keys, testing::plain_best_keys(rows, candidates, {}, m)));
}

class ScreenedKeys : public ::testing::TestWithParam<at::ScalarType> {};
INSTANTIATE_TEST_SUITE_P(Formats, ScreenedKeys, ::testing::Values(at::kFloat, at::kBFloat16, at::kHalf),
                         [](const auto& tested) { return std::string(at::toString(tested.param)); });

TEST_P(ScreenedKeys, OfDuplicatesHolesExclusionsAndLabels) {
  const at::Tensor vectors = unit_rows(500, 1).repeat({3, 1}).narrow(0, 0, 1300).to(GetParam());
  const Rows rows = make_rows(vectors, at::arange(1300).remainder(9) != 2);
  Candidates candidates = make_candidates(unit_rows(10, 2).to(at::kFloat));
  candidates.exclusions = at::tensor({0, 0, 0, 1, 9, 7}, at::kLong).view({-1, 2});
  for (const LabelRule rule : {LabelRule::kAny, LabelRule::kDifferent}) {
    candidates.label_rule = rule;
    for (const std::int64_t m : {0, 1, 64, 1400}) expect_plain(rows, candidates, m);
  }
}

TEST_P(ScreenedKeys, OfRowsThatAllTie) {
  const Rows rows = make_rows(unit_rows(1, 1).expand({9000, kTrialWidth}).to(GetParam()).contiguous());
  for (const std::int64_t m : {1, 7, 2000}) expect_plain(rows, make_candidates(unit_rows(2, 2).to(at::kFloat)), m);
}

TEST_P(ScreenedKeys, OfTheBestRowsAtTheEnd) {
  const at::Tensor query = unit_rows(1, 2);
  const at::Tensor scores = unit_rows(9000, 1).to(GetParam()).to(at::kDouble).mv(query[0]);
  const at::Tensor ascending = unit_rows(9000, 1).index_select(0, scores.argsort()).to(GetParam());
  expect_plain(make_rows(ascending), make_candidates(query.to(at::kFloat)), 100);
}

TEST(ScreenedKeys, OfRowsThatDifferByTheirLastBits) {
  constexpr std::int64_t kRows = 9000;
  const at::Tensor wide = unit_rows(16, 3).view({1, 16 * kTrialWidth}).to(at::kFloat);
  const at::Tensor ulps = at::arange(kRows).unsqueeze(1) * 7919 + at::arange(16 * kTrialWidth) * 104729;
  const at::Tensor rows = wide * (1.0 + (ulps.remainder(5) - 2) * std::numeric_limits<float>::epsilon());
  // Squares of the smallest are no numbers of fp32.
  for (const double length : {1.0, 1e-25, 1e15}) {
    Candidates candidates = make_candidates((wide * length).repeat({3, 1}));
    candidates.positives = at::Tensor();
    for (const std::int64_t m : {1, 50, 3000}) expect_plain(make_rows(rows), candidates, m);
  }
}

TEST(ScreenedKeys, OfLongerAndLongerRows) {
  const at::Tensor lengths = at::logspace(-3, 3, 5000, 10, at::kDouble);
  for (const bool falling : {false, true}) {
    const at::Tensor rows = unit_rows(5000, 1) * (falling ? lengths.flip(0) : lengths).unsqueeze(1);
    expect_plain(make_rows(rows.to(at::kFloat)), make_candidates(unit_rows(5, 2).to(at::kFloat)), 100);
  }
}

TEST(ScreenedKeys, OfRowsOfAnyLength) {
  const at::Tensor lengths = at::arange(2000, at::kDouble).remainder(9).sub(4.0).mul(2.0).exp();
  const Rows rows = make_rows((unit_rows(2000, 1) * lengths.unsqueeze(1)).to(at::kFloat));
  const at::Tensor queries = unit_rows(5, 2) * at::tensor({0.0, 1e-30, 1.0, 1e3, 1e10}, at::kDouble).unsqueeze(1);
  expect_plain(rows, make_candidates(queries.to(at::kFloat)), 30);
}

TEST(ScreenedKeys, AreNotForEverything) {
  const Rows rows = make_rows(unit_rows(50, 1).to(at::kFloat));
  const Candidates candidates = make_candidates(unit_rows(3, 2).to(at::kFloat));
  const auto serves = [](const Rows& r, const Candidates& c, const SelectionOrder& order = {}) {
    return screened_best_keys(r, c, order, 4).has_value();
  };
  ASSERT_TRUE(serves(rows, candidates));
  EXPECT_FALSE(serves(rows, candidates, {.by = SelectionOrder::By::kPositiveScore}));
  EXPECT_FALSE(serves(rows, make_candidates(unit_rows(3, 2))));
  EXPECT_FALSE(serves(make_rows(unit_rows(50, 1)), candidates));
  Rows weighted = rows;
  weighted.order_factors = at::ones({50}, at::kDouble);
  EXPECT_FALSE(serves(weighted, candidates));
  Candidates windowed = candidates;
  windowed.windows = {{{}, at::full({3}, kBeforeAllKeys), at::full({3}, kAfterAllKeys)}};
  EXPECT_FALSE(serves(rows, windowed));
  for (const float broken : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    Candidates queries = make_candidates(candidates.queries.clone());
    queries.queries[1][1] = broken;
    EXPECT_FALSE(serves(rows, queries));
    const Rows holed = make_rows(rows.vectors.clone());
    holed.vectors[49][0] = broken;
    EXPECT_FALSE(serves(holed, candidates));
  }
}

TEST(SelectionKey, OfOneRowEqualsThatOfATensor) {
  for (const double score : {0.0, -0.0, 0.1, -0.1, 1.0, -1.0, 1e-40, -1e-40, 3e38, -3e38, 0.1 + 1e-12}) {
    for (const std::int64_t slot : {std::int64_t{0}, std::int64_t{5}, (std::int64_t{1} << 32) - 1}) {
      const std::int64_t key = selection_key(score, slot);
      EXPECT_EQ(key, selection_keys(at::full({1}, score, at::kDouble), at::full({1}, slot)).item<std::int64_t>());
      EXPECT_EQ(score_of_key(key), static_cast<float>(score) + 0.0F);
    }
  }
}

}  // namespace
}  // namespace negatron

#include "samplers/pass/score_term.h"

#include <limits>
#include <stdexcept>

#include <gtest/gtest.h>

#include "tests/reference/plain_pass.h"
#include "tests/samplers/pass/pass_trial.h"

namespace negatron {
namespace {

using testing::all_terms;
using testing::kInfinity;
using testing::unit_rows;

/// The terms of `rows` for one query, as a result over Q = 1.
TermResult over(const ScoreTerm& term, const at::Tensor& query, const at::Tensor& rows) {
  if (rows.size(0) == 0) return empty_result(term, query.unsqueeze(0));
  const at::Tensor bias = at::zeros({rows.size(0)}, at::kDouble);
  TermResult one = testing::plain_term(term, query, rows, bias, 0);
  const auto batched = [](const at::Tensor& value) { return value.defined() ? value.unsqueeze(0) : value; };
  return {batched(one.value), batched(one.gradient), batched(one.slope), batched(one.log_weight)};
}

bool same(const at::Tensor& a, const at::Tensor& b, double tolerance) {
  if (a.defined() != b.defined()) return false;
  return !a.defined() || at::allclose(a, b, tolerance, tolerance);
}

void expect_same(const TermResult& a, const TermResult& b, double tolerance) {
  EXPECT_TRUE(same(a.value, b.value, tolerance)) << a.value << b.value;
  EXPECT_TRUE(same(a.gradient, b.gradient, tolerance));
  EXPECT_TRUE(same(a.slope, b.slope, tolerance));
  EXPECT_TRUE(same(a.log_weight, b.log_weight, tolerance));
}

TEST(Summands, DerivativesAreCentralDifferences) {
  constexpr double kStep = 1e-6;
  const at::Tensor scores = at::linspace(-0.999, 0.999, 41, at::kDouble);
  for (const ScoreTerm& term : all_terms(TermRows::kCandidates)) {
    const at::Tensor offset = at::full({1}, term.offset, at::kDouble);
    const auto value = [&](double by_score, double by_offset) {
      return summands(term, scores + by_score, offset + by_offset).value;
    };
    const Summands own = summands(term, scores, offset);
    const at::Tensor by_score = (value(kStep, 0.0) - value(-kStep, 0.0)) / (2.0 * kStep);
    const at::Tensor by_offset = (value(0.0, kStep) - value(0.0, -kStep)) / (2.0 * kStep);
    EXPECT_TRUE(at::allclose(own.by_score, by_score, 1e-6, 1e-6)) << static_cast<int>(term.shape);
    EXPECT_TRUE(at::allclose(own.by_offset, by_offset, 1e-6, 1e-6)) << static_cast<int>(term.shape);
    EXPECT_EQ(own.by_score.sizes(), scores.sizes());
    EXPECT_EQ(own.by_offset.sizes(), scores.sizes());
  }
}

TEST(QueryParts, AreTwoForLargeScalesAndForRowsOfAnyLength) {
  EXPECT_EQ(query_parts(5.0, 128, RowLength::kUnit), 1);
  EXPECT_EQ(query_parts(23.0, 128, RowLength::kUnit), 2);
  EXPECT_EQ(query_parts(1e-3, 128, RowLength::kAsMade), 2);
  EXPECT_EQ(query_parts(0.0, 128, RowLength::kAsMade), 1) << "a search for best rows alone bounds its own error";
}

TEST(Summands, HaveTheDocumentedValues) {
  const auto value = [](TermShape shape, double score) {
    ScoreTerm term;
    term.shape = shape;
    term.scale = 2.0;
    return summands(term, at::full({1}, score, at::kDouble), at::full({1}, 1.5, at::kDouble)).value.item<double>();
  };
  // u = 2.5 and -0.5; D = 1, and 2 of opposite vectors.
  EXPECT_EQ(value(TermShape::kOne, 0.5), 1.0);
  EXPECT_EQ(value(TermShape::kLinear, 0.5), 2.5);
  EXPECT_NEAR(value(TermShape::kSoftplus, 0.5), std::log(1.0 + std::exp(2.5)), 1e-15);
  EXPECT_EQ(value(TermShape::kHinge, 0.5), 2.5);
  EXPECT_EQ(value(TermShape::kHinge, -1.0), 0.0);
  EXPECT_EQ(value(TermShape::kStep, 0.5), 1.0);
  EXPECT_EQ(value(TermShape::kStep, -1.0), 0.0);
  EXPECT_EQ(value(TermShape::kSquare, -1.0), 0.25);
  EXPECT_EQ(value(TermShape::kMinusDistance, 0.5), 0.5);
  EXPECT_EQ(value(TermShape::kMinusDistance, -1.0), -0.5);
  EXPECT_EQ(value(TermShape::kDistanceHinge, 0.5), 0.5);
  EXPECT_EQ(value(TermShape::kDistanceHinge, -1.0), 0.0);
  EXPECT_EQ(value(TermShape::kDistanceHingeSquared, 0.5), 0.125);
  EXPECT_EQ(value(TermShape::kDistanceStep, 0.5), 1.0);
  EXPECT_EQ(value(TermShape::kDistanceStep, -1.0), 0.0);
}

TEST(Summands, SurviveLargeLogitsAndDistanceZero) {
  for (const ScoreTerm& given : all_terms(TermRows::kCandidates)) {
    ScoreTerm term = given;
    term.scale = 1000.0;
    for (const double score : {-1.0, 1.0, 1.0 + 1e-7}) {
      const Summands own = summands(term, at::full({1}, score, at::kFloat), at::zeros({1}));
      EXPECT_TRUE(own.value.isfinite().all().item<bool>());
      EXPECT_TRUE(own.by_score.isfinite().all().item<bool>());
    }
  }
}

TEST(MergeTerm, IsTheTermOfTheUnion) {
  const at::Tensor query = unit_rows(1, 2)[0];
  const at::Tensor rows = unit_rows(20, 1);
  for (const ScoreTerm& term : all_terms(TermRows::kCandidates)) {
    for (const std::int64_t cut : {1, 7, 19}) {
      const TermResult left = over(term, query, rows.narrow(0, 0, cut));
      const TermResult right = over(term, query, rows.narrow(0, cut, 20 - cut));
      expect_same(merge(term, left, right), over(term, query, rows), 1e-12);
    }
  }
}

TEST(MergeTerm, NoRowIsTheIdentityBitForBit) {
  const at::Tensor query = unit_rows(1, 2)[0];
  for (const ScoreTerm& term : all_terms(TermRows::kCandidates)) {
    const TermResult some = over(term, query, unit_rows(9, 1));
    const TermResult none = empty_result(term, query.unsqueeze(0));
    expect_same(merge(term, some, none), some, 0.0);
    expect_same(merge(term, none, some), some, 0.0);
    expect_same(merge(term, none, none), none, 0.0);
  }
}

TEST(MergeTerm, SurvivesLargeLogits) {
  const ScoreTerm term;
  const TermResult high{at::full({1}, 1000.0F), at::full({1, 1}, 2.0F), {}, {}};
  const TermResult low{at::full({1}, -1000.0F), at::full({1, 1}, 6.0F), {}, {}};
  expect_same(merge(term, high, low), high, 0.0);
  const TermResult infinite{at::full({1}, -kInfinity, at::kFloat), at::zeros({1, 1}), {}, {}};
  expect_same(merge(term, infinite, low), low, 0.0);
}

TEST(MergeResults, CountsAddUpAndTheLargerMaximumAndTheBestStay) {
  const auto best = [](at::ArrayRef<std::int64_t> keys) { return at::tensor(keys, at::kLong).view({2, 2}); };
  const PassResult left{
      {}, at::tensor({1, 0}, at::kLong), at::tensor({0.5, -kInfinity}), best({4, 9, 7, kAfterAllKeys})};
  const PassResult right{
      {}, at::tensor({2, 0}, at::kLong), at::tensor({0.25, -kInfinity}), best({2, 5, kAfterAllKeys, kAfterAllKeys})};
  const PassResult both = merge(std::vector<ScoreTerm>{}, left, right);
  EXPECT_TRUE(at::equal(both.count, at::tensor({3, 0}, at::kLong)));
  EXPECT_TRUE(at::equal(both.max, left.max));
  EXPECT_TRUE(at::equal(both.best, best({2, 4, 7, kAfterAllKeys})));
}

TEST(CheckTerm, RefusesWhatCannotBeComputed) {
  const at::Tensor queries = unit_rows(3, 1);
  const auto refused = [&](auto change) {
    ScoreTerm term;
    change(term);
    EXPECT_THROW(check_term(term, queries), std::invalid_argument);
  };
  refused([](ScoreTerm& t) { t.scale = kInfinity; });
  refused([](ScoreTerm& t) { t.offset = std::numeric_limits<double>::quiet_NaN(); });
  refused([](ScoreTerm& t) { t.weight_scale = kInfinity; });
  refused([](ScoreTerm& t) { t.query_offset = at::zeros({2}); });
  refused([](ScoreTerm& t) { t.query_offset = at::zeros({3}, at::kLong); });
  EXPECT_NO_THROW(check_term(ScoreTerm{}, queries));
}

}  // namespace
}  // namespace negatron

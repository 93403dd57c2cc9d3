#include "samplers/pass/blocked_pass.h"

#include <limits>
#include <stdexcept>

#include <gtest/gtest.h>

#include "tests/samplers/pass/pass_trial.h"

namespace negatron {
namespace {

using testing::all_terms;
using testing::expect_equal_to_plain;
using testing::kTrialWidth;
using testing::log_sum_exp;
using testing::make_request;
using testing::make_rows;
using testing::unit_rows;

TEST(BlockedPass, EqualsPlainOnSeveralLeaves) {
  const Rows rows = make_rows(unit_rows(3000, 1));
  ASSERT_GT(rows.leaves.size(), 2u);
  for (const double tau : {1.0, 0.2, 0.01}) {
    expect_equal_to_plain(rows, make_request(unit_rows(7, 2), {log_sum_exp(1.0 / tau)}), 1e-12);
    expect_equal_to_plain(rows, make_request(unit_rows(7, 2).to(at::kFloat), {log_sum_exp(1.0 / tau)}), 1e-3);
  }
}

TEST(BlockedPass, EveryShapeAndReduction) {
  const Rows rows = make_rows(unit_rows(1500, 1), at::arange(1500).remainder(3) != 1);
  for (const TermRows over : {TermRows::kCandidates, TermRows::kPositives}) {
    PassRequest request = make_request(unit_rows(4, 2), all_terms(over));
    request.candidates.positive_rule = PositiveRule::kSameLabel;
    request.bias = at::linspace(-2.0, 2.0, 1500, at::kDouble);
    expect_equal_to_plain(rows, request, 1e-11);
    // Alone, each term takes its own way through the tile.
    for (const ScoreTerm& term : request.terms) {
      PassRequest alone = request;
      alone.terms = {term};
      alone.bias = at::Tensor();
      alone.want_max = term.shape == TermShape::kLinear;
      expect_equal_to_plain(rows, alone, 1e-11);
    }
  }
}

TEST(BlockedPass, PlainTermsShareTheirScores) {
  const Rows rows = make_rows(unit_rows(1500, 1), at::arange(1500).remainder(10) < 7);
  const auto run = [&](std::vector<double> scales) {
    std::vector<ScoreTerm> terms;
    for (const double scale : scales) terms.push_back(log_sum_exp(scale));
    expect_equal_to_plain(rows, make_request(unit_rows(5, 2), terms), 1e-12);
  };
  run({15.0, 10.0});
  run({5.0, 0.0});
  run({0.0, 5.0});
  run({-4.0, 100.0, 2.0});
  run({0.0});
  run({-3.0});
}

TEST(BlockedPass, PlainTermsBesideOthers) {
  const Rows rows = make_rows(unit_rows(1100, 1));
  std::vector<ScoreTerm> terms = all_terms(TermRows::kCandidates);
  terms.insert(terms.begin() + 4, log_sum_exp(20.0));
  terms.push_back(log_sum_exp(0.0));
  expect_equal_to_plain(rows, make_request(unit_rows(3, 2), terms), 1e-11);
}

TEST(BlockedPass, OffsetsOfQueries) {
  const Rows rows = make_rows(unit_rows(1100, 1), at::arange(1100).remainder(4) != 0);
  std::vector<ScoreTerm> terms = all_terms(TermRows::kCandidates);
  for (ScoreTerm& term : terms) term.query_offset = at::linspace(-1.0, 1.0, 4, at::kDouble);
  PassRequest request = make_request(unit_rows(4, 2), terms);
  expect_equal_to_plain(rows, request, 1e-11);
  // Another dtype than that of the queries, and a gradient that is none of the pass's business.
  for (ScoreTerm& term : request.terms) term.query_offset = at::zeros({4}).add(0.25).requires_grad_(true);
  expect_equal_to_plain(rows, request, 1e-11);
  EXPECT_FALSE(BlockedPass().run(rows, request).terms[3].value.requires_grad());
}

TEST(BlockedPass, WantsDecideWhatComes) {
  const Rows rows = make_rows(unit_rows(20, 1));
  std::vector<ScoreTerm> terms = all_terms(TermRows::kCandidates);
  for (ScoreTerm& term : terms) term.want_gradient = term.want_slope = false;
  PassRequest request = make_request(unit_rows(3, 2), terms);
  request.want_max = false;
  expect_equal_to_plain(rows, request, 1e-12);
  const PassResult result = BlockedPass().run(rows, request);
  EXPECT_FALSE(result.max.defined());
  EXPECT_FALSE(result.terms[3].gradient.defined());
}

TEST(BlockedPass, TiesAndColdTemperature) {
  const at::Tensor few = unit_rows(3, 1);
  const Rows rows = make_rows(few.repeat({700, 1}));
  // Queries equal to rows: the largest score is 1 and a third of all rows share it.
  expect_equal_to_plain(rows, make_request(few, {log_sum_exp(100.0)}), 1e-12);
  expect_equal_to_plain(rows, make_request(few.to(at::kFloat), {log_sum_exp(100.0)}), 1e-4);
  // At distance 0 the gradient of a distance has no direction: it is 0 and not infinite.
  expect_equal_to_plain(rows, make_request(few, all_terms(TermRows::kCandidates)), 1e-9);
  const PassResult cold = BlockedPass().run(rows, make_request(few.to(at::kFloat), all_terms(TermRows::kCandidates)));
  for (const TermResult& term : cold.terms) EXPECT_TRUE(term.gradient.isfinite().all().item<bool>());
}

TEST(BlockedPass, HolesBiasAndExclusions) {
  const at::Tensor valid = at::ones({2500}, at::kBool);
  valid.slice(0, 1000, 2200).fill_(false);  // a whole leaf and parts of its neighbours
  PassRequest request = make_request(unit_rows(4, 2), {log_sum_exp(5.0)});
  request.bias = at::linspace(-3.0, 3.0, 2500, at::kDouble);
  request.candidates.exclusions = at::tensor({0, 0, 0, 1, 3, 0, 3, 2499, 2, 2200}, at::kLong).view({-1, 2});
  const Rows rows = make_rows(unit_rows(2500, 1), valid);
  expect_equal_to_plain(rows, request, 1e-12);
  request.terms = {log_sum_exp(5.0), log_sum_exp(0.0)};
  expect_equal_to_plain(rows, request, 1e-12);
  request.terms = all_terms(TermRows::kCandidates);
  expect_equal_to_plain(rows, request, 1e-11);
}

TEST(BlockedPass, FullyMaskedRowIsEmptyAndOthersAreNot) {
  const at::Tensor valid = at::zeros({1200}, at::kBool);
  valid[3].fill_(true);
  valid[1100].fill_(true);
  std::vector<ScoreTerm> terms = all_terms(TermRows::kCandidates);
  terms.push_back(log_sum_exp(100.0));
  terms.push_back(log_sum_exp(0.0));
  PassRequest request = make_request(unit_rows(2, 2), terms);
  request.candidates.exclusions = at::tensor({1, 3, 1, 1100}, at::kLong).view({-1, 2});
  const Rows rows = make_rows(unit_rows(1200, 1), valid);
  expect_equal_to_plain(rows, request, 1e-12);
  const PassResult result = BlockedPass().run(rows, request);
  EXPECT_EQ(result.count[0].item<std::int64_t>(), 2);
  EXPECT_EQ(result.count[1].item<std::int64_t>(), 0);
  EXPECT_EQ(result.max[1].item<double>(), -std::numeric_limits<double>::infinity());
  for (std::size_t i = 0; i < terms.size(); ++i) {
    const TermResult empty = empty_result(terms[i], unit_rows(1, 2));
    EXPECT_TRUE(at::equal(result.terms[i].value.narrow(0, 1, 1), empty.value)) << i;
    EXPECT_TRUE(at::equal(result.terms[i].gradient.narrow(0, 1, 1), empty.gradient)) << i;
    EXPECT_TRUE(at::equal(result.terms[i].slope.narrow(0, 1, 1), empty.slope)) << i;
  }
}

TEST(BlockedPass, EmptyShardNoValidRowOneQueryNoQuery) {
  std::vector<ScoreTerm> terms = all_terms(TermRows::kCandidates);
  terms.push_back(log_sum_exp(5.0));
  for (const std::int64_t queries : {0, 1}) {
    const PassRequest request = make_request(unit_rows(queries, 2), terms);
    expect_equal_to_plain(make_rows(unit_rows(0, 1)), request, 1e-12);
    expect_equal_to_plain(make_rows(unit_rows(9, 1), at::zeros({9}, at::kBool)), request, 1e-12);
    expect_equal_to_plain(make_rows(unit_rows(9, 1)), request, 1e-12);
  }
}

TEST(BlockedPass, NarrowRowsAreScoredInTheQueriesType) {
  for (const at::ScalarType type : {at::kBFloat16, at::kHalf, at::kDouble}) {
    const Rows rows = make_rows(unit_rows(1500, 1).to(type));
    expect_equal_to_plain(rows, make_request(unit_rows(5, 2).to(at::kFloat), {log_sum_exp(20.0)}), 5e-4);
    expect_equal_to_plain(rows, make_request(unit_rows(5, 2), {log_sum_exp(20.0)}), 1e-12);
  }
}

TEST(BlockedPass, RefusesWhatDoesNotFit) {
  const Rows rows = make_rows(unit_rows(9, 1));
  const auto refused = [&](auto change) {
    PassRequest request = make_request(unit_rows(2, 2), {log_sum_exp(5.0)});
    change(request);
    EXPECT_THROW(BlockedPass().run(rows, request), std::invalid_argument);
  };
  using Request = PassRequest;
  refused([](Request& r) { r.candidates.queries = at::ones({2, kTrialWidth + 1}); });
  refused([](Request& r) { r.candidates.queries = r.candidates.queries.to(at::kBFloat16); });
  refused([](Request& r) { r.terms[0].scale = std::numeric_limits<double>::infinity(); });
  refused([](Request& r) { r.terms[0].query_offset = at::zeros({3}); });
  refused([](Request& r) { r.bias = at::zeros({8}); });
  refused([](Request& r) { r.candidates.exclusions = at::zeros({4}, at::kLong); });
  refused([](Request& r) { r.candidates.exclusions = at::tensor({2, 0}, at::kLong).view({1, 2}); });
  refused([](Request& r) { r.candidates.exclusions = at::tensor({0, 9}, at::kLong).view({1, 2}); });
  refused([](Request& r) {
    r.candidates.label_rule = LabelRule::kDifferent;
    r.candidates.labels = at::Tensor();
  });
  refused([](Request& r) {
    const at::Tensor ends = at::zeros({2}, at::kLong);
    r.candidates.windows = {{{.by = SelectionOrder::By::kPositiveScore}, ends, ends}};
    r.candidates.keys = at::Tensor();
  });
  refused([](Request& r) { r.candidates.windows = {{{}, at::zeros({2}, at::kLong), at::zeros({1}, at::kLong)}}; });
  EXPECT_THROW(BlockedPass(0), std::invalid_argument);
}

}  // namespace
}  // namespace negatron

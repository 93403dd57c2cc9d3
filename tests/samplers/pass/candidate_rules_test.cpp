// What decides which rows a query meets: windows, labels and positives, alone and together.

#include <gtest/gtest.h>

#include "samplers/pass/blocked_pass.h"
#include "samplers/pass/candidate_keys.h"
#include "tests/reference/plain_selection.h"
#include "tests/samplers/pass/pass_trial.h"

namespace negatron {
namespace {

using By = SelectionOrder::By;
using testing::all_orders;
using testing::all_terms;
using testing::expect_equal_to_plain;
using testing::log_sum_exp;
using testing::make_request;
using testing::make_rows;
using testing::unit_rows;

constexpr std::int64_t kRuledRows = 1300;
constexpr std::int64_t kRuledQueries = 5;

/// Rows of which many are duplicates of each other and some are holes.
Rows hard_rows() {
  return make_rows(unit_rows(kRuledRows / 2, 1).repeat({2, 1}), at::arange(kRuledRows).remainder(9) != 2);
}

/// The window of ranks [first, last) of each query.
SelectionWindow ranks(const Rows& rows, const Candidates& candidates, const SelectionOrder& order, std::int64_t first,
                      std::int64_t last) {
  const at::Tensor keys = testing::plain_best_keys(rows, candidates, order, last + 1);
  return {order, keys.select(1, first).contiguous(), keys.select(1, last).contiguous()};
}

std::vector<ScoreTerm> some_terms(TermRows over) {
  std::vector<ScoreTerm> terms = all_terms(over);
  terms.push_back(log_sum_exp(10.0));
  terms.push_back(log_sum_exp(0.0));
  return terms;
}

TEST(CandidateRules, WindowOfRanksInEveryOrder) {
  const Rows rows = hard_rows();
  for (const SelectionOrder& order : all_orders()) {
    SCOPED_TRACE(static_cast<int>(order.by));
    PassRequest request = make_request(unit_rows(kRuledQueries, 2), some_terms(TermRows::kCandidates));
    request.candidates.exclusions = at::tensor({0, 0, 0, 1, 3, 0, 4, 1299}, at::kLong).view({-1, 2});
    request.candidates.windows = {ranks(rows, request.candidates, order, 3, 38)};
    expect_equal_to_plain(rows, request, 1e-11);
    const PassResult result = BlockedPass().run(rows, request);
    EXPECT_TRUE(at::equal(result.count, at::full({kRuledQueries}, 35, at::kLong))) << result.count;
  }
}

TEST(CandidateRules, SeveralWindowsAllApply) {
  const Rows rows = hard_rows();
  PassRequest request = make_request(unit_rows(kRuledQueries, 2), {log_sum_exp(100.0), log_sum_exp(1.0)});
  Candidates& candidates = request.candidates;
  // Scores in [-0.5, 0.5), of them the best 40 by the positive's score, of them 10 at random.
  candidates.windows = {
      {{}, first_key_below(at::full({kRuledQueries}, 0.5)), first_key_below(at::full({kRuledQueries}, -0.5))}};
  for (const auto& [order, last] : {std::pair<By, std::int64_t>{By::kPositiveScore, 40}, {By::kRandom, 10}}) {
    candidates.windows.push_back(ranks(rows, candidates, {.by = order}, 0, last));
  }
  expect_equal_to_plain(rows, request, 1e-12);
  EXPECT_TRUE((BlockedPass().run(rows, request).count == 10).all().item<bool>());
  request.candidates.queries = request.candidates.queries.to(at::kFloat);
  request.candidates.keys = request.candidates.keys.to(at::kFloat);
  expect_equal_to_plain(rows, request, 1e-3);
}

TEST(CandidateRules, FloatQueriesSelectByExactScores) {
  // Rows of which each pair differs by less than fp32 scores can tell: the window falls between the two of a pair.
  const at::Tensor half = unit_rows(200, 1);
  const Rows rows = make_rows(at::cat({half, half + 1e-7 * unit_rows(200, 5)}));
  PassRequest request = make_request(unit_rows(3, 2).to(at::kFloat), {log_sum_exp(5.0)});
  for (std::int64_t last = 1; last < 30; ++last) {
    request.candidates.windows = {ranks(rows, make_request(request.candidates.queries, {}).candidates, {}, 0, last)};
    EXPECT_TRUE((BlockedPass().run(rows, request).count == last).all().item<bool>()) << last;
  }
}

TEST(CandidateRules, LabelsOfOtherClassesOnly) {
  const Rows rows = hard_rows();
  PassRequest request = make_request(unit_rows(kRuledQueries, 2), some_terms(TermRows::kCandidates));
  request.candidates.label_rule = LabelRule::kDifferent;
  request.candidates.labels[2].fill_(-1);  // unknown: equal to no row's, the unknown ones included
  expect_equal_to_plain(rows, request, 1e-11);
  const at::Tensor count = BlockedPass().run(rows, request).count;
  EXPECT_GT(count[2].item<std::int64_t>(), count[1].item<std::int64_t>());
}

TEST(CandidateRules, PositivesByLabelAndByWindow) {
  const Rows rows = hard_rows();
  std::vector<ScoreTerm> terms = some_terms(TermRows::kPositives);
  const std::vector<ScoreTerm> others = some_terms(TermRows::kCandidates);
  terms.insert(terms.end(), others.begin(), others.end());
  PassRequest request = make_request(unit_rows(kRuledQueries, 2), terms);
  expect_equal_to_plain(rows, request, 1e-11);  // no rule, no positive
  request.candidates.positive_rule = PositiveRule::kSameLabel;
  request.candidates.labels[0].fill_(-1);
  expect_equal_to_plain(rows, request, 1e-11);
  request.candidates.positive_rule = PositiveRule::kWindow;
  request.candidates.positive_windows = {ranks(rows, request.candidates, {.by = By::kPositiveScore}, 0, 12)};
  expect_equal_to_plain(rows, request, 1e-11);
  // Positives are candidates: what a window of candidates leaves out is no positive either.
  request.candidates.windows = {ranks(rows, request.candidates, {.by = By::kScore}, 200, 900)};
  expect_equal_to_plain(rows, request, 1e-11);
}

TEST(CandidateRules, EmptyWindowsAndOneQuery) {
  const Rows rows = hard_rows();
  for (const std::int64_t queries : {0, 1}) {
    PassRequest request = make_request(unit_rows(queries, 2), some_terms(TermRows::kCandidates));
    const at::Tensor end = at::zeros({queries}, at::kLong);
    request.candidates.windows = {{{}, end, end}};
    expect_equal_to_plain(rows, request, 1e-12);
    EXPECT_EQ(BlockedPass().run(rows, request).count.sum().item<std::int64_t>(), 0);
    request.candidates.windows = {{{}, at::full_like(end, kBeforeAllKeys), at::full_like(end, kAfterAllKeys)}};
    expect_equal_to_plain(rows, request, 1e-11);
  }
}

}  // namespace
}  // namespace negatron

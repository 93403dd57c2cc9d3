#include "samplers/pass/listed_pass.h"

#include <limits>
#include <stdexcept>

#include <gtest/gtest.h>

#include "tests/reference/plain_pass.h"
#include "tests/samplers/pass/pass_trial.h"

namespace negatron {
namespace {

using testing::all_terms;
using testing::log_sum_exp;
using testing::make_rows;
using testing::unit_rows;

constexpr std::int64_t kListingQueries = 4;
constexpr std::int64_t kListed = 30;
constexpr std::int64_t kListedRows = 50;

/// Lists with repeated and missing rows; query 2 lists none at all.
at::Tensor make_lists() {
  const at::Tensor place = at::arange(kListingQueries * kListed, at::kLong).view({kListingQueries, kListed});
  const at::Tensor lists = (place * 7).remainder(kListedRows).masked_fill(place.remainder(5) == 1, -1);
  lists.select(1, 1).copy_(lists.select(1, 0));
  lists[2].fill_(-1);
  return lists;
}

ListedVectors listed_rows(const Rows& rows, const at::Tensor& queries, const at::Tensor& lists) {
  ListedVectors listed;
  listed.gradients = gather_rows(rows, lists, queries.scalar_type());
  listed.scores = (listed.gradients * queries.unsqueeze(1)).sum(2);
  listed.present = lists >= 0;
  return listed;
}

/// One query at a time over the rows that it lists.
PassResult plain_listed(const Rows& rows, const PassRequest& request, const ListedVectors& listed,
                        const at::Tensor& lists) {
  PassResult result = empty_result(request);
  for (std::int64_t i = 0; i < lists.size(0); ++i) {
    for (std::size_t t = 0; t < request.terms.size(); ++t) {
      const ScoreTerm& term = request.terms[t];
      at::Tensor over = listed.present[i];
      if (term.rows == TermRows::kPositives) {
        over = listed.positive.defined() ? over.logical_and(listed.positive[i]) : at::zeros_like(over);
      }
      if (!over.any().item<bool>()) continue;
      const at::Tensor own = rows.vectors.index_select(0, lists[i].masked_select(over)).to(at::kDouble);
      const at::Tensor bias = listed.bias.defined() ? listed.bias[i].masked_select(over).to(at::kDouble)
                                                    : at::zeros({own.size(0)}, at::kDouble);
      const TermResult one = testing::plain_term(term, request.candidates.queries[i], own, bias, i);
      result.terms[t].value[i].copy_(one.value);
      result.terms[t].gradient[i].copy_(one.gradient);
      result.terms[t].slope[i].copy_(one.slope);
      if (one.log_weight.defined()) result.terms[t].log_weight[i].copy_(one.log_weight);
    }
    result.count[i].copy_(listed.present[i].sum());
    const at::Tensor scores = listed.scores[i].masked_select(listed.present[i]);
    if (scores.numel() > 0) result.max[i].copy_(scores.max());
  }
  return result;
}

class ListedPass : public ::testing::Test {
 protected:
  void expect_equal_to_plain(const ListedVectors& listed, double tolerance) const {
    const PassResult actual = run_listed(request_.candidates.queries, listed, request_.terms, true);
    testing::expect_close(actual, plain_listed(rows_, request_, listed, lists_), tolerance);
  }

  static PassRequest make_terms() {
    std::vector<ScoreTerm> terms = all_terms(TermRows::kCandidates);
    const std::vector<ScoreTerm> over_positives = all_terms(TermRows::kPositives);
    terms.insert(terms.end(), over_positives.begin(), over_positives.end());
    terms.push_back(log_sum_exp(100.0));
    terms.push_back(log_sum_exp(0.0));
    terms.back().query_offset = at::linspace(-1.0, 1.0, kListingQueries, at::kDouble);
    return testing::make_request(unit_rows(kListingQueries, 2), terms);
  }

  const Rows rows_ = make_rows(unit_rows(kListedRows, 1));
  const at::Tensor lists_ = make_lists();
  PassRequest request_ = make_terms();
};

TEST_F(ListedPass, EqualsPlain) {
  ListedVectors listed = listed_rows(rows_, request_.candidates.queries, lists_);
  expect_equal_to_plain(listed, 1e-12);
  listed.bias = at::linspace(-3.0, 3.0, kListingQueries * kListed, at::kDouble).view({kListingQueries, kListed});
  listed.positive = at::arange(kListingQueries * kListed).remainder(3).view({kListingQueries, kListed}) == 1;
  expect_equal_to_plain(listed, 1e-12);
  request_.candidates.queries = request_.candidates.queries.to(at::kFloat);
  expect_equal_to_plain(listed_rows(rows_, request_.candidates.queries, lists_), 1e-4);
}

TEST_F(ListedPass, WhatIsAbsentNeverShows) {
  ListedVectors listed = listed_rows(rows_, request_.candidates.queries, lists_);
  const at::Tensor absent = listed.present.logical_not();
  listed.bias = at::zeros({kListingQueries, kListed}, at::kDouble);
  const PassResult clean = run_listed(request_.candidates.queries, listed, request_.terms, true);
  listed.scores.masked_fill_(absent, std::numeric_limits<double>::quiet_NaN());
  listed.bias.masked_fill_(absent, std::numeric_limits<double>::infinity());
  listed.gradients.masked_fill_(absent.unsqueeze(2), std::numeric_limits<double>::quiet_NaN());
  testing::expect_close(run_listed(request_.candidates.queries, listed, request_.terms, true), clean, 0.0);
}

TEST_F(ListedPass, GradientsNeedNotBeTheVectors) {
  ListedVectors listed = listed_rows(rows_, request_.candidates.queries, lists_);
  const PassResult once = run_listed(request_.candidates.queries, listed, {log_sum_exp(3.0)}, false);
  listed.gradients = listed.gradients * -2.0;
  const PassResult other = run_listed(request_.candidates.queries, listed, {log_sum_exp(3.0)}, false);
  EXPECT_TRUE(at::allclose(other.terms[0].gradient, once.terms[0].gradient * -2.0));
  EXPECT_TRUE(at::equal(other.terms[0].value, once.terms[0].value));
  EXPECT_FALSE(once.max.defined());
}

TEST_F(ListedPass, NothingListedOrNoQuery) {
  for (const std::int64_t queries : {0, 1, 3}) {
    const PassRequest request = testing::make_request(unit_rows(queries, 2), all_terms(TermRows::kCandidates));
    const at::Tensor lists = at::empty({queries, 0}, at::kLong);
    const ListedVectors listed = listed_rows(rows_, request.candidates.queries, lists);
    testing::expect_close(run_listed(request.candidates.queries, listed, request.terms, true), empty_result(request),
                          0.0);
  }
}

TEST_F(ListedPass, RefusesWhatDoesNotFit) {
  const ListedVectors good = listed_rows(rows_, request_.candidates.queries, lists_);
  const auto refused = [&](auto change) {
    ListedVectors listed = good;
    change(listed);
    EXPECT_THROW(run_listed(request_.candidates.queries, listed, {}, true), std::invalid_argument);
  };
  refused([](ListedVectors& l) { l.scores = l.scores[0]; });
  refused([](ListedVectors& l) { l.gradients = l.gradients.narrow(2, 0, 3); });
  refused([](ListedVectors& l) { l.present = l.present.to(at::kLong); });
  refused([](ListedVectors& l) { l.bias = at::zeros({kListed}); });
}

TEST(GatherRows, RepeatsConvertsAndZeroes) {
  const Rows rows = make_rows(unit_rows(6, 1));
  const at::Tensor lists = at::tensor({5, -1, 5, 0}, at::kLong).view({2, 2});
  const at::Tensor gathered = gather_rows(rows, lists, at::kFloat);
  EXPECT_EQ(gathered.scalar_type(), at::kFloat);
  EXPECT_TRUE(at::equal(gathered[0][0], rows.vectors[5].to(at::kFloat)));
  EXPECT_TRUE(at::equal(gathered[1][0], gathered[0][0]));
  EXPECT_TRUE(at::equal(gathered[0][1], at::zeros({testing::kTrialWidth})));
  const at::Tensor none = at::full({2, 3}, -1, at::kLong);
  EXPECT_TRUE(at::equal(gather_rows(make_rows(unit_rows(0, 1)), none, at::kDouble),
                        at::zeros({2, 3, testing::kTrialWidth}, at::kDouble)));
}

}  // namespace
}  // namespace negatron

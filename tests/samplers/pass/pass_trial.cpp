#include "tests/samplers/pass/pass_trial.h"

#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "samplers/bank/canonical_leaves.h"
#include "samplers/bank/random_rows.h"
#include "samplers/pass/blocked_pass.h"
#include "tests/reference/plain_pass.h"

namespace negatron::testing {
namespace {

constexpr float kMasked = -std::numeric_limits<float>::infinity();
constexpr std::int64_t kLabels = 5;

void expect_close(const at::Tensor& actual, const at::Tensor& expected, double tolerance, const std::string& what) {
  ASSERT_EQ(actual.defined(), expected.defined()) << what;
  if (!actual.defined()) return;
  ASSERT_EQ(actual.sizes(), expected.sizes()) << what;
  ASSERT_EQ(actual.scalar_type(), expected.scalar_type()) << what;
  EXPECT_TRUE(at::allclose(actual, expected, tolerance, tolerance)) << what << "\n"
                                                                    << actual.flatten().slice(0, 0, 8) << "\n"
                                                                    << expected.flatten().slice(0, 0, 8);
}

}  // namespace

at::Tensor unit_rows(std::int64_t count, std::uint64_t seed) {
  return random_unit_rows(seed, 0, count, kTrialWidth);
}

Rows make_rows(const at::Tensor& vectors, const at::Tensor& valid) {
  const std::int64_t count = vectors.size(0);
  Rows rows;
  rows.vectors = vectors;
  const at::Tensor position = at::arange(count, at::kLong);
  rows.slots = position.flip(0);
  rows.labels = position.remainder(kLabels).masked_fill(position.remainder(7) == 0, -1);
  rows.leaves = canonical_leaves(count, 1, {0, count});
  if (!valid.defined()) return rows;
  rows.validity = at::zeros({count}).masked_fill_(~valid, kMasked);
  rows.slots.masked_fill_(~valid, -1);
  for (Leaf& leaf : rows.leaves) leaf.valid = valid.narrow(0, leaf.begin, leaf.size()).sum().item<std::int64_t>();
  return rows;
}

Candidates make_candidates(const at::Tensor& queries) {
  const std::int64_t count = queries.size(0);
  Candidates candidates;
  candidates.queries = queries;
  candidates.keys = unit_rows(count, 77).to(queries.scalar_type());
  candidates.query_index = at::arange(100, 100 + count, at::kLong);
  candidates.labels = at::arange(count, at::kLong).remainder(kLabels);
  return candidates;
}

PassRequest make_request(const at::Tensor& queries, std::vector<ScoreTerm> terms) {
  PassRequest request;
  request.candidates = make_candidates(queries);
  request.terms = std::move(terms);
  request.want_max = true;
  return request;
}

ScoreTerm log_sum_exp(double scale) {
  ScoreTerm term;
  term.scale = scale;
  term.want_slope = true;
  return term;
}

std::vector<ScoreTerm> all_terms(TermRows rows) {
  std::vector<ScoreTerm> terms;
  for (int shape = 0; shape <= static_cast<int>(TermShape::kDistanceStep); ++shape) {
    for (const Reduction reduction : {Reduction::kLogSumExp, Reduction::kSum, Reduction::kSoftmaxMean}) {
      ScoreTerm term;
      term.shape = static_cast<TermShape>(shape);
      term.reduction = reduction;
      term.rows = rows;
      term.scale = 3.0;
      // Distances lie around 1.4, so this margin cuts through them too.
      term.offset = term.shape >= TermShape::kMinusDistance ? 1.4 : -0.3;
      term.weight_scale = 4.0;
      term.want_slope = true;
      terms.push_back(term);
    }
  }
  return terms;
}

std::vector<SelectionOrder> all_orders() {
  using By = SelectionOrder::By;
  return {{.by = By::kScore},
          {.by = By::kPositiveScore},
          {.by = By::kRandom, .seed = 3, .step = 11},
          {.by = By::kGumbel, .scale = 8.0, .seed = 3, .step = 11}};
}

void expect_close(const PassResult& actual, const PassResult& expected, double tolerance) {
  ASSERT_EQ(actual.terms.size(), expected.terms.size());
  for (std::size_t i = 0; i < actual.terms.size(); ++i) {
    const std::string name = " of term " + std::to_string(i);
    expect_close(actual.terms[i].value, expected.terms[i].value, tolerance, "value" + name);
    expect_close(actual.terms[i].gradient, expected.terms[i].gradient, tolerance, "gradient" + name);
    expect_close(actual.terms[i].slope, expected.terms[i].slope, tolerance, "slope" + name);
    expect_close(actual.terms[i].log_weight, expected.terms[i].log_weight, tolerance, "log_weight" + name);
  }
  expect_close(actual.max, expected.max, tolerance, "max");
  EXPECT_TRUE(at::equal(actual.count, expected.count)) << actual.count << "\n" << expected.count;
}

void expect_same_bits(const PassResult& actual, const PassResult& expected) {
  expect_close(actual, expected, 0.0);
}

void expect_equal_to_plain(const Rows& rows, const PassRequest& request, double tolerance) {
  const PassResult expected = PlainPass().run(rows, request);
  for (const std::int64_t block : {std::int64_t{1}, std::int64_t{3}, BlockedPass::kDefaultQueryBlock}) {
    SCOPED_TRACE(::testing::Message() << "query block " << block);
    expect_close(BlockedPass(block).run(rows, request), expected, tolerance);
  }
}

}  // namespace negatron::testing

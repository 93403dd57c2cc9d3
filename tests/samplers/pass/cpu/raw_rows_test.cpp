// Every vector code over rows that are not unit rows, against the plain pass and a full sort.

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "samplers/bank/random_rows.h"
#include "samplers/pass/cpu/fast_pass.h"
#include "samplers/pass/cpu/kernel_choice.h"
#include "tests/reference/plain_pass.h"
#include "tests/reference/plain_selection.h"
#include "tests/samplers/pass/pass_trial.h"

namespace negatron {
namespace {

constexpr double kShortestRow = 0.01, kLongestRow = 30.0;

/// [count, width] fp32 whose lengths are spread evenly over the orders of magnitude, the last row the longest.
at::Tensor of_many_lengths(std::int64_t count, std::int64_t width, std::uint64_t seed) {
  const at::Tensor lengths =
      at::logspace(std::log10(kShortestRow), std::log10(kLongestRow), count, 10.0, at::kDouble).unsqueeze(1);
  return (random_unit_rows(seed, 0, count, width) * lengths).to(at::kFloat);
}

Rows raw_rows(const at::Tensor& vectors, const at::Tensor& valid = at::Tensor()) {
  Rows rows = testing::make_rows(vectors, valid);
  rows.length = RowLength::kAsMade;
  return rows;
}

PassRequest raw_request(const at::Tensor& queries, const std::vector<double>& scales) {
  PassRequest request;
  request.candidates.queries = queries;
  for (const double scale : scales) request.terms.push_back(testing::log_sum_exp(scale));
  request.want_max = true;
  return request;
}

/// All of a result within what rounding explains: a score is off by |q| max|n| times 2^-21 in fp32, and times 2^-15
/// where a query is the sum of two parts of bf16 (in one it would be 2^-8, which these bounds do not forgive), a weight
/// by the error of its logit and its own rounding to bf16, all of them by the last bits of fp32.
void expect_right_of(CpuIsa isa, const Rows& rows, const PassRequest& request) {
  ASSERT_TRUE(FastPass::serves(rows, request));
  const PassResult expected = testing::PlainPass().run(rows, request);
  const PassResult actual = FastPass(isa).run(rows, request);
  const bool in_bf16 =
      (isa == CpuIsa::kAvx512Bf16 || isa == CpuIsa::kAmxBf16) && rows.vectors.scalar_type() == at::kBFloat16;
  const double longest = rows.vectors.to(at::kDouble).norm(2, {1}).max().item<double>();
  const at::Tensor lengths = request.candidates.queries.to(at::kDouble).norm(2, {1});  // [Q]
  const at::Tensor score = lengths * (longest * (in_bf16 ? 0x1p-15 : 0x1p-21));
  const auto near = [](const at::Tensor& got, const at::Tensor& wanted, const at::Tensor& off) {
    const at::Tensor a = got.to(at::kDouble), b = wanted.to(at::kDouble);
    return ((a - b).abs() <= off + 1e-6 * b.abs() + 1e-6).logical_or(a == b).all().item<bool>();
  };
  for (std::size_t i = 0; i < request.terms.size(); ++i) {
    const double scale = request.terms[i].scale;
    SCOPED_TRACE(::testing::Message() << name_of(isa) << ", rows " << rows.vectors.scalar_type() << ", scale "
                                      << scale);
    const at::Tensor logit = score * scale;
    const TermResult& own = actual.terms[i];
    EXPECT_TRUE(near(own.value, expected.terms[i].value, logit)) << own.value << expected.terms[i].value;
    const at::Tensor by_weight = (2.0 * logit).clamp_max(2.0) + (in_bf16 ? 0x1p-7 : 0.0);
    EXPECT_TRUE(near(own.gradient, expected.terms[i].gradient, (by_weight * scale * longest).unsqueeze(1)))
        << own.gradient << expected.terms[i].gradient;
  }
  EXPECT_TRUE(near(actual.max, expected.max, score)) << actual.max << expected.max;
  EXPECT_TRUE(at::equal(actual.count, expected.count));
}

void expect_right(const Rows& rows, const PassRequest& request) {
  for (const CpuIsa isa : available_isas()) expect_right_of(isa, rows, request);
}

TEST(FastPassOverRawRows, EqualsPlain) {
  for (const std::int64_t width : {5, 128}) {
    for (const at::ScalarType type : {at::kFloat, at::kBFloat16, at::kHalf}) {
      const at::Tensor valid = at::arange(1300) % 7 != 3;
      const Rows rows = raw_rows(of_many_lengths(1300, width, 1).to(type), valid);
      expect_right(rows, raw_request(of_many_lengths(19, width, 2), {1.0}));
      expect_right(rows, raw_request(of_many_lengths(19, width, 2), {0.05, 4.0}));
    }
  }
}

/// A row that is met alone, none, and ties.
TEST(FastPassOverRawRows, EqualsPlainAtTheEdges) {
  const at::Tensor vectors = of_many_lengths(96, 24, 1);
  vectors.narrow(0, 40, 20).copy_(vectors.narrow(0, 60, 20).clone());
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    const Rows rows = raw_rows(vectors.to(type));
    PassRequest request = raw_request(of_many_lengths(3, 24, 2), {1.0});
    expect_right(rows, request);
    std::vector<std::int64_t> pairs;
    for (std::int64_t row = 0; row < 96; ++row) pairs.insert(pairs.end(), {1, row});
    request.candidates.exclusions = at::tensor(pairs, at::kLong).view({-1, 2});
    expect_right(rows, request);
    expect_right(rows, raw_request(of_many_lengths(1, 24, 2), {1.0}));
  }
}

/// Logits so large that fp32 holds whole numbers only, or not even these: the largest one is still the answer, and what
/// lies far below it still nothing.
TEST(FastPassOverRawRows, FollowLogitsBeyondWholeNumbers) {
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    const Rows rows = raw_rows(of_many_lengths(1300, 24, 1).to(type));
    const at::Tensor queries = of_many_lengths(5, 24, 2);
    for (const double scale : {1e4, 1e6}) {
      expect_right(rows, raw_request(queries, {scale}));
      for (const CpuIsa isa : available_isas()) {
        SCOPED_TRACE(::testing::Message() << name_of(isa) << ", scale " << scale);
        const PassRequest request = raw_request(queries, {scale});
        const PassResult result = FastPass(isa).run(rows, request);
        const PassResult plain = testing::PlainPass().run(rows, request);
        // Of the longest query one row has all the weight.
        const at::Tensor gradient = result.terms[0].gradient[4].to(at::kDouble) / scale;
        const at::Tensor row = plain.terms[0].gradient[4].to(at::kDouble) / scale;
        EXPECT_LT((gradient - row).norm().item<double>(), 1e-2 * row.norm().item<double>());
      }
    }
  }
}

/// Long rows make the bounds of all scores wide, and short queries have theirs far below them.
TEST(FastPassOverRawRows, FindTheBestRowsOfAFullSort) {
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16, at::kHalf}) {
    at::Tensor vectors = of_many_lengths(2600, 32, 1);
    // Ties, also among the best.
    vectors = at::cat({vectors, vectors.narrow(0, 2500, 100)});
    const Rows rows = raw_rows(vectors.to(type));
    Candidates candidates;
    candidates.queries = of_many_lengths(21, 32, 2);
    for (const std::int64_t m : {1, 40, 700}) {
      const at::Tensor expected = testing::plain_best_keys(rows, candidates, {}, m);
      PassRequest fused = raw_request(candidates.queries, {1.0});
      fused.best = m;
      for (const CpuIsa isa : available_isas()) {
        SCOPED_TRACE(::testing::Message() << name_of(isa) << ", " << type << ", " << m);
        EXPECT_TRUE(at::equal(FastPass(isa).best(rows, candidates, {}, m), expected));
        EXPECT_TRUE(at::equal(FastPass(isa).run(rows, fused).best, expected));
      }
    }
  }
}

}  // namespace
}  // namespace negatron

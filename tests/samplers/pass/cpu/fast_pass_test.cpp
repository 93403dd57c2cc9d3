#include "samplers/pass/cpu/fast_pass.h"
#include "samplers/pass/cpu/kernel_choice.h"

#include <cmath>
#include <stdexcept>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "samplers/bank/random_rows.h"
#include "tests/reference/plain_pass.h"
#include "tests/samplers/pass/pass_trial.h"

namespace negatron {
namespace {

using testing::expect_same_bits;
using testing::kInfinity;
using testing::log_sum_exp;
using testing::make_rows;

constexpr double kBf16Rounding = 0x1p-8;

/// [count, width] unit rows in fp32
at::Tensor unit(std::int64_t count, std::int64_t width, std::uint64_t seed) {
  return random_unit_rows(seed, 0, count, width).to(at::kFloat);
}

PassRequest make_fast_request(const at::Tensor& queries, const std::vector<double>& scales) {
  PassRequest request;
  request.candidates.queries = queries;
  for (const double scale : scales) request.terms.push_back(log_sum_exp(scale));
  request.want_max = true;
  return request;
}

bool meet_in_bf16(const Rows& rows, CpuIsa isa) {
  return (isa == CpuIsa::kAvx512Bf16 || isa == CpuIsa::kAmxBf16) && rows.vectors.scalar_type() == at::kBFloat16;
}

/// How far off a logit of unit vectors may be. In fp32 a score is off by a few roundings, 2^-22 in all. In bf16 each
/// number of a query is off by up to 2^-8 of itself, in no common direction: 2^-8 / sqrt(d), and twice that for the
/// worst of many. In two parts queries are good to 2^-16.
double logit_error(const Rows& rows, CpuIsa isa, const PassRequest& request, double scale) {
  double largest = 0.0;
  for (const ScoreTerm& term : request.terms) largest = std::max(largest, std::abs(term.scale));
  double score = 0x1p-22;
  if (meet_in_bf16(rows, isa)) {
    const double root = std::sqrt(static_cast<double>(rows.vectors.size(1)));
    score += largest > 2.0 * root ? 0x1p-16 : 2.0 * kBf16Rounding / root;
  }
  return std::abs(scale) * score + 1e-6;
}

/// How far off a gradient over the scale may be: weights by the error of logits, and by their own rounding in bf16.
double gradient_error(const Rows& rows, CpuIsa isa, double logit_error) {
  return 2.0 * logit_error + (meet_in_bf16(rows, isa) ? kBf16Rounding : 0.0);
}

void expect_near(const at::Tensor& actual, const at::Tensor& expected, double tolerance, const std::string& what) {
  ASSERT_EQ(actual.sizes(), expected.sizes()) << what;
  ASSERT_EQ(actual.scalar_type(), expected.scalar_type()) << what;
  EXPECT_TRUE(at::allclose(actual, expected, 1e-6, tolerance)) << what << "\n" << actual << "\n" << expected;
}

/// Every variant of this machine against the plain pass.
void expect_equal_to_plain(const Rows& rows, const PassRequest& request) {
  ASSERT_TRUE(FastPass::serves(rows, request));
  const PassResult expected = testing::PlainPass().run(rows, request);
  for (const CpuIsa isa : available_isas()) {
    SCOPED_TRACE(::testing::Message() << name_of(isa) << ", rows " << rows.vectors.scalar_type() << " "
                                      << rows.vectors.sizes());
    const PassResult actual = FastPass(isa).run(rows, request);
    ASSERT_EQ(actual.terms.size(), expected.terms.size());
    for (std::size_t i = 0; i < actual.terms.size(); ++i) {
      const double scale = request.terms[i].scale;
      const std::string name = " of the term with scale " + std::to_string(scale);
      const double error = logit_error(rows, isa, request, scale);
      const double by_query = gradient_error(rows, isa, error) * std::abs(scale);
      expect_near(actual.terms[i].value, expected.terms[i].value, error, "value" + name);
      expect_near(actual.terms[i].gradient, expected.terms[i].gradient, by_query, "gradient" + name);
      EXPECT_TRUE(at::equal(actual.terms[i].slope, expected.terms[i].slope)) << "slope" << name;
    }
    expect_near(actual.max, expected.max, logit_error(rows, isa, request, 1.0), "max");
    EXPECT_TRUE(at::equal(actual.count, expected.count));
  }
}

TEST(FastPass, EqualsPlainInEveryWidthAndType) {
  for (const std::int64_t width : {1, 5, 16, 96, 128, 200}) {
    for (const at::ScalarType type : {at::kFloat, at::kBFloat16, at::kHalf}) {
      const Rows rows = make_rows(unit(1300, width, 1).to(type));
      ASSERT_GT(rows.leaves.size(), 1u);
      for (const double tau : {0.2, 0.01})
        expect_equal_to_plain(rows, make_fast_request(unit(5, width, 2), {1.0 / tau}));
    }
  }
}

TEST(FastPass, RowCountsThatFillNoTile) {
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    for (const std::int64_t count : {1, 2, 5, 6, 7, 95, 96, 97, 1023, 2049}) {
      expect_equal_to_plain(make_rows(unit(count, 24, 1).to(type)), make_fast_request(unit(3, 24, 2), {5.0}));
    }
  }
}

TEST(FastPass, QueryCountsThatFillNoGroup) {
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    for (const std::int64_t count : {1, 15, 16, 17, 33, 50, 64, 65, 300}) {
      expect_equal_to_plain(make_rows(unit(110, 12, 1).to(type)), make_fast_request(unit(count, 12, 2), {10.0}));
    }
  }
}

TEST(FastPass, TwoTermsShareTheirScores) {
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    const Rows rows = make_rows(unit(1500, 32, 1).to(type), at::arange(1500).remainder(10) < 7);
    for (const std::vector<double>& scales : std::vector<std::vector<double>>{
             {15.0, 10.0}, {5.0, 0.0}, {0.0, 5.0}, {100.0, 2.0}, {0.0}, {-3.0}, {-4.0, 100.0}, {2.0, 2.0}}) {
      expect_equal_to_plain(rows, make_fast_request(unit(6, 32, 2), scales));
    }
  }
}

TEST(FastPass, TiesAndLogitsFarApart) {
  // Equal rows, the query itself and its opposite: logits from -100 to 100, and many of each.
  const at::Tensor query = unit(1, 16, 3);
  const at::Tensor vectors = at::cat({query.expand({700, 16}), unit(1, 16, 4).expand({700, 16}), -query});
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    const Rows rows = make_rows(vectors.to(type));
    expect_equal_to_plain(rows, make_fast_request(at::cat({query, -query, unit(2, 16, 4)}), {100.0, 1.0}));
    // Bias that outweighs scores, and rises all the way, so that references do too.
    PassRequest request = make_fast_request(at::cat({query, -query}), {10.0, 0.0});
    request.bias = at::linspace(-300.0, 300.0, 1401, at::kDouble);
    expect_equal_to_plain(rows, request);
    request.bias = request.bias.flip(0).to(at::kFloat);
    expect_equal_to_plain(rows, request);
  }
}

TEST(FastPass, BiasValidityAndExclusionsTogether) {
  at::Tensor valid = at::arange(2500).remainder(3) != 0;
  // A leaf without a row, and one with a single row.
  valid.narrow(0, 0, 700).fill_(false);
  valid.narrow(0, 1300, 900).fill_(false);
  valid[2000].fill_(true);
  valid[1].fill_(true);
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16, at::kHalf}) {
    const Rows rows = make_rows(unit(2500, 20, 1).to(type), valid);
    for (const std::vector<double>& scales : std::vector<std::vector<double>>{{5.0}, {100.0, 0.0}, {0.0, -5.0}}) {
      PassRequest request = make_fast_request(unit(70, 20, 2), scales);
      request.bias = at::linspace(-3.0, 3.0, 2500, at::kDouble);
      // Queries of both groups, and the row of a leaf on its own.
      request.candidates.exclusions =
          at::tensor({0, 1, 3, 1, 69, 1, 3, 2498, 65, 2000, 2, 2200, 68, 2498}, at::kLong).view({-1, 2});
      expect_equal_to_plain(rows, request);
      request.bias = at::Tensor();
      request.terms[0].query_offset = at::linspace(-1.0, 1.0, 70, at::kDouble);
      request.terms[0].offset = 0.5;
      expect_equal_to_plain(rows, request);
    }
  }
}

TEST(FastPass, ExclusionOfTheLargestScoreIsFelt) {
  const at::Tensor queries = unit(4, 16, 1);
  const Rows rows = make_rows(at::cat({unit(900, 16, 2), queries}));
  PassRequest request = make_fast_request(queries, {100.0});
  request.candidates.exclusions = at::tensor({0, 900, 1, 901, 2, 902}, at::kLong).view({-1, 2});
  expect_equal_to_plain(rows, request);
  request.terms[0].scale = -100.0;
  expect_equal_to_plain(rows, request);
}

TEST(FastPass, FullyMaskedQueryIsEmptyAndOthersAreNot) {
  const at::Tensor valid = at::zeros({1200}, at::kBool);
  valid[3].fill_(true);
  valid[1100].fill_(true);
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    const Rows rows = make_rows(unit(1200, 8, 1).to(type), valid);
    PassRequest request = make_fast_request(unit(2, 8, 2), {100.0, 0.0});
    request.candidates.exclusions = at::tensor({1, 3, 1, 1100}, at::kLong).view({-1, 2});
    expect_equal_to_plain(rows, request);
    for (const CpuIsa isa : available_isas()) {
      const PassResult result = FastPass(isa).run(rows, request);
      EXPECT_EQ(result.max[1].item<double>(), -kInfinity);
      EXPECT_EQ(result.terms[1].value[1].item<double>(), -kInfinity);
      EXPECT_TRUE(at::equal(result.terms[0].gradient[1], at::zeros({8})));
    }
  }
}

TEST(FastPass, NoRowNoValidRowNoQuery) {
  for (const std::int64_t queries : {0, 1}) {
    const PassRequest request = make_fast_request(unit(queries, 8, 2), {5.0});
    for (const Rows& rows : {make_rows(unit(0, 8, 1)), make_rows(unit(9, 8, 1), at::zeros({9}, at::kBool))}) {
      expect_same_bits(FastPass().run(rows, request), empty_result(request));
    }
  }
}

TEST(FastPass, WantsDecideWhatComes) {
  const Rows rows = make_rows(unit(2000, 16, 1));
  PassRequest request = make_fast_request(unit(20, 16, 2), {5.0, 10.0});
  const PassResult all = FastPass().run(rows, request);
  request.want_max = false;
  request.terms[0].want_gradient = request.terms[0].want_slope = false;
  const PassResult some = FastPass().run(rows, request);
  EXPECT_FALSE(some.max.defined());
  EXPECT_FALSE(some.terms[0].gradient.defined());
  EXPECT_FALSE(some.terms[0].slope.defined());
  for (const std::size_t term : {0, 1}) EXPECT_TRUE(at::equal(some.terms[term].value, all.terms[term].value));
  EXPECT_TRUE(at::equal(some.terms[1].gradient, all.terms[1].gradient));
}

/// Answers of a query: of any number of threads, and of any company.
TEST(FastPass, SameBitsForThreadsAndSplitsOfQueries) {
  const int threads = at::get_num_threads();
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16, at::kHalf}) {
    const Rows rows = make_rows(unit(9000, 48, 1).to(type), at::arange(9000).remainder(11) != 4);
    const at::Tensor queries = unit(330, 48, 2);
    for (const CpuIsa isa : available_isas()) {
      SCOPED_TRACE(::testing::Message() << name_of(isa) << " " << type);
      const FastPass pass(isa);
      at::set_num_threads(1);
      const PassResult alone = pass.run(rows, make_fast_request(queries, {14.0, 3.0}));
      for (const int several : {2, 3, 8}) {
        at::set_num_threads(several);
        expect_same_bits(pass.run(rows, make_fast_request(queries, {14.0, 3.0})), alone);
      }
      for (const auto& [begin, count] : std::vector<std::pair<int, int>>{{0, 1}, {7, 16}, {100, 70}, {329, 1}}) {
        const PassResult part = pass.run(rows, make_fast_request(queries.narrow(0, begin, count), {14.0, 3.0}));
        for (std::size_t i = 0; i < 2; ++i) {
          EXPECT_TRUE(at::equal(part.terms[i].value, alone.terms[i].value.narrow(0, begin, count)));
          EXPECT_TRUE(at::equal(part.terms[i].gradient, alone.terms[i].gradient.narrow(0, begin, count)));
        }
      }
      at::set_num_threads(threads);
    }
  }
}

/// A rank boundary inside a leaf changes the order of sums and nothing else, also where weights are rounded to bf16.
TEST(FastPass, CutLeavesAgreeToTheRoundingOfSums) {
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    const Rows rows = make_rows(unit(3000, 64, 1).to(type));
    const PassRequest request = make_fast_request(unit(9, 64, 2), {14.0});
    for (const CpuIsa isa : available_isas()) {
      const PassResult whole = FastPass(isa).run(rows, request);
      Rows left = make_rows(rows.vectors.narrow(0, 0, 1111));
      Rows right = make_rows(rows.vectors.narrow(0, 1111, 1889));
      const PassResult merged =
          merge(request.terms, FastPass(isa).run(left, request), FastPass(isa).run(right, request));
      EXPECT_TRUE(at::allclose(merged.terms[0].value, whole.terms[0].value, 1e-6, 0.0)) << name_of(isa);
      const at::Tensor error = (merged.terms[0].gradient - whole.terms[0].gradient).norm(2, 1);
      EXPECT_TRUE((error <= 1e-6 * whole.terms[0].gradient.norm(2, 1)).all().item<bool>()) << name_of(isa) << error;
    }
  }
}

}  // namespace
}  // namespace negatron

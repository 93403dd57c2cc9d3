#include "samplers/pass/cuda/cuda_pass.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "tests/samplers/pass/cuda/emulated_pass.h"
#include "tests/samplers/pass/kernel_trial.h"
#include "tests/samplers/pass/pass_trial.h"

// The code of the kernel, thread by thread on the host, and everything around it; tests/gpu/pass_test.cpp runs it on a
// GPU.
namespace negatron {
namespace {

using testing::bf16_rows;
using testing::EmulatedDevice;
using testing::expect_equal_to_plain;
using testing::make_rows;
using testing::plain_request;
using testing::unit;

void expect_served(const Rows& rows, const PassRequest& request) {
  ASSERT_TRUE(testing::emulated_pass().uses_kernel(rows, request));
  expect_equal_to_plain(testing::emulated_pass(), rows, request);
}

TEST(CudaPass, EqualsPlainInEveryShape) {
  for (const std::int64_t width : {8, 40, 64, 72, 128, 200, 256}) {
    for (const double tau : {0.2, 0.01}) {
      expect_served(bf16_rows(150, width), plain_request(unit(5, width, 2), {1.0 / tau}));
      if (width > 128) continue;
      expect_served(bf16_rows(150, width), plain_request(unit(5, width, 2), {1.0 / tau, 3.0}));
    }
  }
}

TEST(CudaPass, RowCountsThatFillNoTile) {
  for (const std::int64_t count : {1, 31, 32, 33, 63, 64, 65, 129, 300}) {
    expect_served(bf16_rows(count, 24), plain_request(unit(3, 24, 2), {5.0}));
  }
}

TEST(CudaPass, QueryCountsThatFillNoBlock) {
  for (const std::int64_t count : {1, 8, 9, 17, 127, 128, 129}) {
    expect_served(bf16_rows(70, 16), plain_request(unit(count, 16, 2), {10.0}));
    expect_served(bf16_rows(70, 16), plain_request(unit(count, 16, 2), {10.0, 1.0}));
  }
}

TEST(CudaPass, TwoTermsShareTheirScores) {
  const Rows rows = bf16_rows(200, 32, at::arange(200).remainder(10) < 7);
  for (const std::vector<double>& scales : std::vector<std::vector<double>>{
           {15.0, 10.0}, {5.0, 0.0}, {0.0, 5.0}, {100.0, 2.0}, {0.0}, {-3.0}, {-4.0, 100.0}, {2.0, 2.0}}) {
    expect_served(rows, plain_request(unit(6, 32, 2), scales));
  }
}

TEST(CudaPass, TiesAndLogitsFarApart) {
  const at::Tensor query = unit(1, 16, 3);
  const at::Tensor vectors = at::cat({query.expand({100, 16}), unit(1, 16, 4).expand({100, 16}), -query});
  const Rows rows = make_rows(vectors.to(at::kBFloat16));
  expect_served(rows, plain_request(at::cat({query, -query, unit(2, 16, 4)}), {100.0, 1.0}));
  // Bias that outweighs scores, and rises all the way, so that references do too.
  PassRequest request = plain_request(at::cat({query, -query}), {10.0, 0.0});
  request.bias = at::linspace(-300.0, 300.0, 201, at::kDouble);
  expect_served(rows, request);
  request.bias = request.bias.flip(0).to(at::kFloat);
  expect_served(rows, request);
}

TEST(CudaPass, QueriesOfAnyLength) {
  // Those of length 1 have a fixed reference, those of length 20 have none, in one warp.
  const at::Tensor queries =
      unit(9, 16, 2) * at::tensor({1.0, 20.0, 0.0, 1.0, 1.0, 0.1, 30.0, 1.0, 1.0}, at::kFloat).unsqueeze(1);
  expect_served(bf16_rows(140, 16), plain_request(queries, {5.0, 40.0}));
}

TEST(CudaPass, BiasHolesAndExclusionsTogether) {
  at::Tensor valid = at::arange(400).remainder(3) != 0;
  valid.narrow(0, 100, 90).fill_(false);
  valid[1].fill_(true);
  const Rows rows = bf16_rows(400, 24, valid);
  for (const std::vector<double>& scales : std::vector<std::vector<double>>{{5.0}, {100.0, 0.0}, {0.0, -5.0}}) {
    PassRequest request = plain_request(unit(70, 24, 2), scales);
    request.bias = at::linspace(-3.0, 3.0, 400, at::kDouble);
    request.candidates.exclusions =
        at::tensor({0, 1, 3, 1, 69, 1, 3, 398, 65, 200, 2, 200, 68, 398, 68, 31, 68, 32}, at::kLong).view({-1, 2});
    expect_served(rows, request);
    request.bias = at::Tensor();
    request.terms[0].query_offset = at::linspace(-1.0, 1.0, 70, at::kDouble);
    request.terms[0].offset = 0.5;
    request.terms[0].want_gradient = false;
    request.want_max = false;
    expect_served(rows, request);
  }
}

TEST(CudaPass, ExclusionOfTheLargestScoreIsFelt) {
  const at::Tensor queries = unit(4, 16, 1);
  const Rows rows = make_rows(at::cat({unit(90, 16, 2), queries}).to(at::kBFloat16));
  PassRequest request = plain_request(queries, {100.0});
  request.candidates.exclusions = at::tensor({0, 90, 1, 91, 2, 92}, at::kLong).view({-1, 2});
  expect_served(rows, request);
  request.terms[0].scale = -100.0;
  expect_served(rows, request);
}

TEST(CudaPass, FullyMaskedQueryIsEmptyAndOthersAreNot) {
  at::Tensor valid = at::zeros({200}, at::kBool);
  valid[3].fill_(true);
  valid[190].fill_(true);
  const Rows rows = bf16_rows(200, 8, valid);
  PassRequest request = plain_request(unit(2, 8, 2), {100.0, 0.0});
  request.candidates.exclusions = at::tensor({1, 3, 1, 190}, at::kLong).view({-1, 2});
  expect_served(rows, request);
  const PassResult result = testing::emulated_pass().run(rows, request);
  EXPECT_EQ(result.max[1].item<double>(), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(result.terms[0].value[1].item<double>(), -std::numeric_limits<double>::infinity());
  EXPECT_TRUE(at::equal(result.terms[0].gradient[1], at::zeros({8})));
  EXPECT_EQ(result.terms[0].slope[1].item<double>(), 0.0);
}

TEST(CudaPass, QueryThatIsNotFiniteGetsNanAndOthersDoNot) {
  const Rows rows = bf16_rows(100, 16);
  at::Tensor queries = unit(4, 16, 2);
  queries[1][3].fill_(std::numeric_limits<float>::quiet_NaN());
  queries[2][5].fill_(std::numeric_limits<float>::infinity());
  const PassResult result = testing::emulated_pass().run(rows, plain_request(queries, {5.0}));
  const at::Tensor expected = at::tensor({0, 1, 1, 0}, at::kLong).to(at::kBool);
  EXPECT_TRUE(at::equal(result.terms[0].value.isnan(), expected)) << result.terms[0].value;
  EXPECT_TRUE(at::equal(result.terms[0].gradient.isnan().any(1), expected));
  EXPECT_TRUE(at::equal(result.max.isnan(), expected)) << result.max;
}

TEST(CudaPass, BitsDependOnNeitherTheOrderOfThreadsNorThatOfBlocks) {
  const Rows rows = bf16_rows(333, 40, at::arange(333).remainder(9) < 7);
  PassRequest request = plain_request(unit(130, 40, 2), {100.0});
  request.candidates.exclusions = at::tensor({5, 1, 129, 330}, at::kLong).view({-1, 2});
  const PassResult expected = testing::emulated_pass().run(rows, request);
  for (const std::uint64_t order : {1, 2, 3}) {
    const CudaPass other(BlockedPass::kDefaultQueryBlock, std::make_shared<EmulatedDevice>(4, order));
    const PassResult result = other.run(rows, request);
    EXPECT_TRUE(at::equal(result.terms[0].value, expected.terms[0].value)) << "order " << order;
    EXPECT_TRUE(at::equal(result.terms[0].gradient, expected.terms[0].gradient)) << "order " << order;
    EXPECT_TRUE(at::equal(result.max, expected.max)) << "order " << order;
  }
}

TEST(CudaPass, PassesOnWhatItDoesNotServe) {
  const Rows rows = bf16_rows(100, 16);
  PassRequest request = plain_request(unit(4, 16, 2), {5.0});
  const auto expect_passed_on = [&](const Rows& own, const PassRequest& asked) {
    EXPECT_FALSE(testing::emulated_pass().serves(own, asked));
    testing::expect_close(testing::emulated_pass().run(own, asked), BlockedPass().run(own, asked), 1e-6);
  };
  expect_passed_on(make_rows(rows.vectors.to(at::kFloat)), request);
  expect_passed_on(bf16_rows(100, 12), plain_request(unit(4, 12, 2), {5.0}));
  expect_passed_on(bf16_rows(100, 136), plain_request(unit(4, 136, 2), {5.0, 1.0}));
  expect_passed_on(make_rows(rows.vectors.narrow(0, 0, 0)), request);
  expect_passed_on(rows, plain_request(unit(4, 16, 2), {5.0, 1.0, 2.0}));
  expect_passed_on(rows, plain_request(unit(4, 16, 2).to(at::kDouble), {5.0}));
  request.candidates.labels = at::arange(4, at::kLong);
  request.candidates.label_rule = LabelRule::kDifferent;
  expect_passed_on(rows, request);
}

}  // namespace
}  // namespace negatron

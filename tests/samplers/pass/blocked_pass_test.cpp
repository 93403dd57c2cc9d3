#include "samplers/pass/blocked_pass.h"

#include <limits>
#include <mutex>
#include <stdexcept>

#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>
#include <gtest/gtest.h>

#include "samplers/bank/canonical_leaves.h"
#include "samplers/bank/random_rows.h"
#include "tests/reference/plain_pass.h"

namespace negatron {
namespace {

constexpr std::int64_t kWidth = 8;
constexpr float kMasked = -std::numeric_limits<float>::infinity();

at::Tensor unit_rows(std::int64_t count, std::uint64_t seed) {
  return random_unit_rows(seed, 0, count, kWidth);
}

/// Rows with holes where `valid` [n] is false; all valid when it is undefined.
Rows make_rows(const at::Tensor& vectors, const at::Tensor& valid = at::Tensor()) {
  Rows rows{vectors, at::Tensor(), canonical_leaves(vectors.size(0), 1, {0, vectors.size(0)})};
  if (!valid.defined()) return rows;
  rows.validity = at::zeros({vectors.size(0)}).masked_fill_(~valid, kMasked);
  for (Leaf& leaf : rows.leaves) leaf.valid = valid.narrow(0, leaf.begin, leaf.size()).sum().item<std::int64_t>();
  return rows;
}

PassRequest make_request(const at::Tensor& queries, std::vector<double> scales) {
  PassRequest request;
  request.queries = queries;
  request.scales = std::move(scales);
  request.want_max = true;
  return request;
}

void expect_close(const at::Tensor& actual, const at::Tensor& expected, double tolerance, const char* what) {
  ASSERT_EQ(actual.sizes(), expected.sizes()) << what;
  EXPECT_TRUE(at::allclose(actual, expected, tolerance, tolerance)) << what << "\n"
                                                                    << actual.flatten().slice(0, 0, 8) << "\n"
                                                                    << expected.flatten().slice(0, 0, 8);
}

/// Runs both passes, the blocked one with several block sizes too.
void expect_equal_to_plain(const Rows& rows, const PassRequest& request, double tolerance) {
  const PassResult expected = testing::PlainPass().run(rows, request);
  for (const std::int64_t block : {std::int64_t{1}, std::int64_t{3}, BlockedPass::kQueryBlock}) {
    const PassResult actual = BlockedPass(block).run(rows, request);
    expect_close(actual.log_sum_exp, expected.log_sum_exp, tolerance, "log_sum_exp");
    expect_close(actual.mean, expected.mean, tolerance, "mean");
    expect_close(actual.max, expected.max, tolerance, "max");
    EXPECT_TRUE(at::equal(actual.count, expected.count));
  }
}

TEST(BlockedPass, EqualsPlainOnSeveralLeaves) {
  const Rows rows = make_rows(unit_rows(3000, 1));
  ASSERT_GT(rows.leaves.size(), 2u);
  for (const double tau : {1.0, 0.2, 0.01}) {
    expect_equal_to_plain(rows, make_request(unit_rows(7, 2), {1.0 / tau}), 1e-12);
    expect_equal_to_plain(rows, make_request(unit_rows(7, 2).to(at::kFloat), {1.0 / tau}), 1e-4);
  }
}

TEST(BlockedPass, TwoScalesInOneSweep) {
  const Rows rows = make_rows(unit_rows(1500, 1), at::rand({1500}) < 0.7);
  expect_equal_to_plain(rows, make_request(unit_rows(5, 2), {15.0, 10.0}), 1e-12);
  expect_equal_to_plain(rows, make_request(unit_rows(5, 2), {5.0, 0.0}), 1e-12);
}

TEST(BlockedPass, TiesAndColdTemperature) {
  const at::Tensor few = unit_rows(3, 1);
  const Rows rows = make_rows(few.repeat({700, 1}));
  // Queries equal to rows: the largest score is 1 and a third of all rows share it.
  expect_equal_to_plain(rows, make_request(few, {100.0}), 1e-12);
  expect_equal_to_plain(rows, make_request(few.to(at::kFloat), {100.0}), 1e-4);
}

TEST(BlockedPass, HolesBiasAndExclusions) {
  const at::Tensor valid = at::ones({2500}, at::kBool);
  valid.slice(0, 1000, 2200).fill_(false);  // a whole leaf and parts of its neighbours
  PassRequest request = make_request(unit_rows(4, 2), {5.0});
  request.bias = at::linspace(-3.0, 3.0, 2500, at::kDouble);
  request.exclusions = at::tensor({0, 0, 0, 1, 3, 0, 3, 2499, 2, 2200}, at::kLong).view({-1, 2});
  expect_equal_to_plain(make_rows(unit_rows(2500, 1), valid), request, 1e-12);
  request.scales = {5.0, 0.0};
  expect_equal_to_plain(make_rows(unit_rows(2500, 1), valid), request, 1e-12);
}

TEST(BlockedPass, FullyMaskedRowIsEmptyAndOthersAreNot) {
  const at::Tensor valid = at::zeros({1200}, at::kBool);
  valid[3].fill_(true);
  valid[1100].fill_(true);
  PassRequest request = make_request(unit_rows(2, 2).to(at::kFloat), {100.0, 0.0});
  request.exclusions = at::tensor({1, 3, 1, 1100}, at::kLong).view({-1, 2});
  const Rows rows = make_rows(unit_rows(1200, 1), valid);
  expect_equal_to_plain(rows, request, 1e-4);
  const PassResult result = BlockedPass().run(rows, request);
  EXPECT_EQ(result.count[0].item<std::int64_t>(), 2);
  EXPECT_EQ(result.count[1].item<std::int64_t>(), 0);
  EXPECT_EQ(result.log_sum_exp[0][1].item<float>(), kMasked);
  EXPECT_EQ(result.max[1].item<float>(), kMasked);
  EXPECT_TRUE(at::equal(result.mean.select(1, 1), at::zeros({2, kWidth})));
}

TEST(BlockedPass, EmptyShardNoValidRowOneQueryNoQuery) {
  for (const std::int64_t queries : {0, 1}) {
    const PassRequest request = make_request(unit_rows(queries, 2), {5.0});
    expect_equal_to_plain(make_rows(unit_rows(0, 1)), request, 1e-12);
    expect_equal_to_plain(make_rows(unit_rows(9, 1), at::zeros({9}, at::kBool)), request, 1e-12);
    expect_equal_to_plain(make_rows(unit_rows(9, 1)), request, 1e-12);
  }
}

TEST(BlockedPass, NarrowRowsAreScoredInTheQueriesType) {
  for (const at::ScalarType type : {at::kBFloat16, at::kHalf, at::kDouble}) {
    const Rows rows = make_rows(unit_rows(1500, 1).to(type));
    expect_equal_to_plain(rows, make_request(unit_rows(5, 2).to(at::kFloat), {20.0}), 2e-5);
    expect_equal_to_plain(rows, make_request(unit_rows(5, 2), {20.0}), 1e-12);
  }
}

/// Sees every allocation of this thread.
class LargestAllocation : public c10::MemoryReportingInfoBase {
 public:
  void reportMemoryUsage(void*, std::int64_t size, std::size_t, std::size_t, c10::Device) override {
    largest_ = std::max(largest_, size);
  }
  bool memoryProfilingEnabled() const override { return true; }
  std::int64_t bytes() const { return largest_; }

 private:
  std::int64_t largest_ = 0;
};

TEST(BlockedPass, NeverHoldsMoreThanATileOfScores) {
  constexpr std::int64_t kQueries = 1200;
  constexpr std::int64_t kRows = 8192;
  const Rows rows = make_rows(unit_rows(kRows, 1).to(at::kFloat));
  const PassRequest request = make_request(unit_rows(kQueries, 2).to(at::kFloat), {5.0, 2.0});
  const auto seen = std::make_shared<LargestAllocation>();
  {
    const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, seen);
    BlockedPass().run(rows, request);
  }
  const std::int64_t tile = BlockedPass::kQueryBlock * kLeafRows * static_cast<std::int64_t>(sizeof(float));
  EXPECT_EQ(seen->bytes(), tile);
  EXPECT_LT(tile, kQueries * kRows * static_cast<std::int64_t>(sizeof(float)) / 10);
}

TEST(BlockedPass, RefusesWhatDoesNotFit) {
  const Rows rows = make_rows(unit_rows(9, 1));
  const auto refused = [&](auto change) {
    PassRequest request = make_request(unit_rows(2, 2), {5.0});
    change(request);
    EXPECT_THROW(BlockedPass().run(rows, request), std::invalid_argument);
  };
  refused([](PassRequest& r) { r.queries = at::ones({2, kWidth + 1}); });
  refused([](PassRequest& r) { r.queries = r.queries.to(at::kBFloat16); });
  refused([](PassRequest& r) { r.scales.clear(); });
  refused([](PassRequest& r) { r.scales = {1.0, 1.0, 1.0}; });
  refused([](PassRequest& r) { r.scales = {0.0}; });
  refused([](PassRequest& r) { r.bias = at::zeros({8}); });
  refused([](PassRequest& r) { r.exclusions = at::zeros({4}, at::kLong); });
  refused([](PassRequest& r) { r.exclusions = at::tensor({2, 0}, at::kLong).view({1, 2}); });
  EXPECT_THROW(BlockedPass(0), std::invalid_argument);
}

}  // namespace
}  // namespace negatron

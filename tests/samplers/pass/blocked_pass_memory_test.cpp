#include <memory>

#include <c10/util/ThreadLocalDebugInfo.h>
#include <gtest/gtest.h>

#include "samplers/bank/canonical_leaves.h"
#include "samplers/pass/blocked_pass.h"
#include "tests/samplers/pass/pass_trial.h"
#include "tests/support/allocation_meter.h"

namespace negatron {
namespace {

constexpr std::int64_t kQueries = 1200;
constexpr std::int64_t kRows = 8192;
constexpr std::int64_t kTileBytes =
    BlockedPass::kDefaultQueryBlock * kLeafRows * static_cast<std::int64_t>(sizeof(float));

std::shared_ptr<testing::AllocationMeter> measure(const std::vector<ScoreTerm>& terms) {
  const Rows rows = testing::make_rows(testing::unit_rows(kRows, 1).to(at::kFloat));
  const PassRequest request = testing::make_request(testing::unit_rows(kQueries, 2).to(at::kFloat), terms);
  const auto meter = std::make_shared<testing::AllocationMeter>();
  const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, meter);
  BlockedPass().run(rows, request);
  return meter;
}

TEST(BlockedPassMemory, NoAllocationIsLargerThanATile) {
  ASSERT_LT(kTileBytes, kQueries * kRows * static_cast<std::int64_t>(sizeof(float)) / 10);
  EXPECT_EQ(measure({testing::log_sum_exp(5.0), testing::log_sum_exp(2.0)})->largest(), kTileBytes);
  ScoreTerm hinge = testing::log_sum_exp(5.0);
  hinge.shape = TermShape::kHinge;
  hinge.reduction = Reduction::kSum;
  EXPECT_EQ(measure({hinge, testing::log_sum_exp(5.0)})->largest(), kTileBytes);
}

TEST(BlockedPassMemory, PlainTermsHoldOneTileOrTwo) {
  EXPECT_LT(measure({testing::log_sum_exp(5.0)})->most_held(), 2 * kTileBytes);
  EXPECT_LT(measure({testing::log_sum_exp(5.0), testing::log_sum_exp(2.0)})->most_held(), 3 * kTileBytes);
}

}  // namespace
}  // namespace negatron

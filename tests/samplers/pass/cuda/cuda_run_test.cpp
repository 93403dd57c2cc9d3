#include "samplers/pass/cuda/cuda_run.h"

#include <algorithm>
#include <limits>
#include <map>

#include <gtest/gtest.h>

#include "tests/samplers/pass/cuda/emulated_device.h"
#include "tests/samplers/pass/kernel_trial.h"
#include "tests/samplers/pass/pass_trial.h"

namespace negatron {
namespace {

using testing::EmulatedDevice;
using testing::make_rows;
using testing::plain_request;
using testing::unit;

/// The (row, score) of a query's first slots.
std::map<std::int32_t, float> handed_out(const FilteredRows& filtered, std::int64_t query, std::int64_t slots) {
  std::map<std::int32_t, float> found;
  for (std::int64_t i = 0; i < slots; ++i) {
    found[filtered.rows[query][i].item<std::int32_t>()] = filtered.scores[query][i].item<float>();
  }
  return found;
}

TEST(CudaRun, FilterFindsAllThatReachTheThreshold) {
  const at::Tensor valid = at::arange(300).remainder(5) != 0;
  // Ties: each row is there twice.
  const Rows rows = make_rows(unit(150, 16, 1).repeat({2, 1}).to(at::kBFloat16), valid);
  PassRequest request = plain_request(unit(6, 16, 2), {100.0});
  request.candidates.exclusions = at::tensor({2, 1, 2, 299}, at::kLong).view({-1, 2});
  const float infinity = std::numeric_limits<float>::infinity();
  const at::Tensor thresholds = at::tensor({0.2f, 0.6f, -infinity, infinity, 2.0f, -2.0f});
  constexpr std::int64_t kCapacity = 64;
  FilteredRows filtered;
  const EmulatedDevice device;
  CudaRun run(device, rows, request, 2);
  run.filter(thresholds, kCapacity, filtered);
  testing::expect_close(run.run(), CudaRun(device, rows, request, 2).run(), 0.0);

  const at::Tensor scores = request.candidates.queries.mm(rows.vectors.to(at::kFloat).t());
  const at::Tensor may_score = valid.expand({6, 300}).clone();
  may_score[2][1].fill_(false);
  may_score[2][299].fill_(false);
  bool overflowed = false;
  for (std::int64_t query = 0; query < 6; ++query) {
    SCOPED_TRACE(::testing::Message() << "query " << query);
    const at::Tensor passes = (scores[query] >= thresholds[query]).logical_and(may_score[query]);
    const auto count = passes.sum().item<std::int32_t>();
    ASSERT_EQ(filtered.counts[query].item<std::int32_t>(), count);
    const auto found = handed_out(filtered, query, std::min<std::int64_t>(count, kCapacity));
    overflowed |= count > kCapacity;
    EXPECT_EQ(static_cast<std::int64_t>(found.size()), std::min<std::int64_t>(count, kCapacity)) << "a row came twice";
    for (const auto& [row, score] : found) {
      EXPECT_TRUE(passes[row].item<bool>()) << "row " << row;
      EXPECT_NEAR(score, scores[query][row].item<float>(), 1e-4) << "row " << row;
    }
  }
  EXPECT_TRUE(overflowed);
  EXPECT_GT(filtered.counts[0].item<std::int32_t>(), 0);
}

}  // namespace
}  // namespace negatron

#include "samplers/negative_samplers/warp.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include <gtest/gtest.h>

#include "samplers/bank/random_rows.h"
#include "samplers/exchange/ranking/slot_draws.h"
#include "tests/samplers/contrast/contrast_job.h"

// The loss of sampled WARP by its definition, one trial after the other.

namespace negatron::testing {
namespace {

constexpr std::int64_t kWarpQueries = 9;
constexpr std::int64_t kWarpRows = 30;
constexpr std::int64_t kTrials = 6;
constexpr double kMargin = 0.2;

ContrastJob warp_job(const std::string& weight) {
  ContrastJob job;
  job.raw_queries = random_unit_rows(1, 0, kWarpQueries, 5);
  job.raw_keys = random_unit_rows(1, 0, kWarpQueries, 5) + 0.7 * random_unit_rows(2, 0, kWarpQueries, 5);
  job.bank = random_unit_rows(3, 0, kWarpRows, 5);
  job.objective = "margin-ranking";
  job.objective_options = "margin=0.2,rank-weight=" + weight;
  job.sampler = "warp";
  job.sampler_options = "margin=0.2,trials=6";
  return job;
}

double harmonic(std::int64_t rank) {
  double sum = 0.0;
  for (std::int64_t i = 1; i <= rank; ++i) sum += 1.0 / static_cast<double>(i);
  return sum;
}

struct Plain {
  double loss = 0.0;
  std::int64_t found = 0;
};

Plain plain_warp(const ContrastJob& job, const std::function<double(std::int64_t)>& weight) {
  const auto unit = [](const at::Tensor& rows) { return rows / rows.norm(2, {1}, true); };
  const at::Tensor queries = unit(job.raw_queries);
  const at::Tensor positive = (queries * unit(job.raw_keys)).sum(1);
  const at::Tensor slots = draw_uniform_slots({SelectionOrder::By::kRandom, 1.0, 0, Purpose::kNegativeDraw, 0},
                                              at::arange(kWarpQueries, at::kLong), kTrials, kWarpRows);
  Plain plain;
  for (std::int64_t i = 0; i < kWarpQueries; ++i) {
    for (std::int64_t trial = 1; trial <= kTrials; ++trial) {
      const at::Tensor row = job.bank[slots[i][trial - 1].item<std::int64_t>()];
      const double violation = (queries[i].dot(row) - positive[i]).item<double>() + kMargin;
      if (violation <= 0.0) continue;
      plain.loss += weight((kWarpRows - 1) / trial) * violation / kWarpQueries;
      ++plain.found;
      break;
    }
  }
  return plain;
}

TEST(Warp, WeighsAViolatorByTheRankThatItsTrialsLetExpect) {
  const Plain expected = plain_warp(warp_job("harmonic"), harmonic);
  // Some queries meet none.
  ASSERT_GT(expected.found, 2);
  ASSERT_LT(expected.found, kWarpQueries);
  for (int ranks = 1; ranks <= 4; ++ranks) {
    const ContrastAnswer actual = run_contrast(warp_job("harmonic"), ranks);
    EXPECT_NEAR(actual.loss, expected.loss, 1e-12) << ranks;
    EXPECT_EQ(actual.count.sum().item<double>(), static_cast<double>(expected.found));
  }
}

TEST(Warp, WeighsByTheLogarithmAsWell) {
  const auto log_weight = [](std::int64_t rank) { return std::log(std::max<double>(1.0, static_cast<double>(rank))); };
  EXPECT_NEAR(run_contrast(warp_job("log"), 2).loss, plain_warp(warp_job("log"), log_weight).loss, 1e-12);
}

}  // namespace
}  // namespace negatron::testing

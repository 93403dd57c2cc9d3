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

ContrastJob warp_job(const std::string& weight, std::int64_t trials, NegativeSource source = NegativeSource::kBank) {
  ContrastJob job;
  job.raw_queries = random_unit_rows(1, 0, kWarpQueries, 5);
  job.raw_keys = random_unit_rows(1, 0, kWarpQueries, 5) + 0.7 * random_unit_rows(2, 0, kWarpQueries, 5);
  job.bank = random_unit_rows(3, 0, kWarpRows, 5);
  job.objective = "margin-ranking";
  job.objective_options = "margin=0.2,rank-weight=" + weight;
  job.sampler = "warp";
  job.sampler_options = "margin=0.2,trials=" + std::to_string(trials);
  job.source = source;
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
  std::int64_t most_trials = 0;
};

Plain plain_warp(const ContrastJob& job, std::int64_t trials, const std::function<double(std::int64_t)>& weight) {
  const auto unit = [](const at::Tensor& rows) { return rows / rows.norm(2, {1}, true); };
  const at::Tensor queries = unit(job.raw_queries);
  const at::Tensor keys = unit(job.raw_keys);
  const at::Tensor slots = draw_uniform_slots({SelectionOrder::By::kRandom, 1.0, 0, Purpose::kNegativeDraw, 0},
                                              at::arange(kWarpQueries, at::kLong), trials, kWarpRows);
  Plain plain;
  for (std::int64_t i = 0; i < kWarpQueries; ++i) {
    const double positive = queries[i].dot(keys[i]).item<double>();
    const auto violation = [&](const at::Tensor& row) {
      return queries[i].dot(row).item<double>() - positive + kMargin;
    };
    double sum = 0.0;
    std::int64_t met = 0;
    std::int64_t rank = 0;
    for (std::int64_t trial = 1; trial <= trials && met == 0; ++trial) {
      const double of_row = violation(job.bank[slots[i][trial - 1].item<std::int64_t>()]);
      if (of_row <= 0.0) continue;
      sum = of_row;
      met = 1;
      rank = std::max<std::int64_t>(1, (kWarpRows - 1) / trial);
      plain.most_trials = std::max(plain.most_trials, trial);
    }
    plain.found += met;
    for (std::int64_t j = 0; job.source == NegativeSource::kBankAndBatch && j < kWarpQueries; ++j) {
      if (j == i || violation(keys[j]) <= 0.0) continue;
      sum += violation(keys[j]);
      ++met;
      ++rank;
    }
    if (met > 0) plain.loss += weight(rank) * sum / static_cast<double>(met) / kWarpQueries;
  }
  return plain;
}

TEST(Warp, WeighsAViolatorByTheRankThatItsTrialsLetExpect) {
  const Plain expected = plain_warp(warp_job("harmonic", kTrials), kTrials, harmonic);
  // Some queries meet none.
  ASSERT_GT(expected.found, 2);
  ASSERT_LT(expected.found, kWarpQueries);
  for (int ranks = 1; ranks <= 4; ++ranks) {
    const ContrastAnswer actual = run_contrast(warp_job("harmonic", kTrials), ranks);
    EXPECT_NEAR(actual.loss, expected.loss, 1e-12) << ranks;
    EXPECT_EQ(actual.count.sum().item<double>(), static_cast<double>(expected.found));
  }
}

TEST(Warp, WeighsByTheLogarithmAsWell) {
  const auto log_weight = [](std::int64_t rank) { return std::log(std::max<double>(1.0, static_cast<double>(rank))); };
  EXPECT_NEAR(run_contrast(warp_job("log", kTrials), 2).loss,
              plain_warp(warp_job("log", kTrials), kTrials, log_weight).loss, 1e-12);
}

TEST(Warp, AViolatorStandsForItselfAtLeast) {
  constexpr std::int64_t kMany = 300;
  const Plain expected = plain_warp(warp_job("harmonic", kMany), kMany, harmonic);
  ASSERT_GT(expected.most_trials, kWarpRows);
  EXPECT_NEAR(run_contrast(warp_job("harmonic", kMany), 3).loss, expected.loss, 1e-12);
}

TEST(Warp, CountsTheViolatorsOfTheBatch) {
  const ContrastJob job = warp_job("harmonic", kTrials, NegativeSource::kBankAndBatch);
  const Plain expected = plain_warp(job, kTrials, harmonic);
  for (const int ranks : {1, 3}) EXPECT_NEAR(run_contrast(job, ranks).loss, expected.loss, 1e-12) << ranks;
}

}  // namespace
}  // namespace negatron::testing

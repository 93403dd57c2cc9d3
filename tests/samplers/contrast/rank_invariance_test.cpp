// The same loss and gradients on any number of ranks, for every objective over every source.

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "tests/samplers/contrast/trials.h"

namespace negatron::testing {
namespace {

double relative_difference(const at::Tensor& a, const at::Tensor& b) {
  return ((a - b).norm() / b.norm().clamp_min(1e-3)).item<double>();
}

void expect_same(const ContrastAnswer& got, const ContrastAnswer& alone, double tolerance) {
  EXPECT_NEAR(got.loss, alone.loss, tolerance * std::max(1.0, std::abs(alone.loss)));
  EXPECT_LT(relative_difference(got.per_anchor, alone.per_anchor), tolerance);
  EXPECT_LT(relative_difference(got.raw_query_gradient, alone.raw_query_gradient), 10 * tolerance);
  EXPECT_LT(relative_difference(got.raw_key_gradient, alone.raw_key_gradient), 10 * tolerance);
  for (std::size_t i = 0; i < alone.parameter_gradients.size(); ++i) {
    EXPECT_NEAR(got.parameter_gradients[i], alone.parameter_gradients[i],
                10 * tolerance * std::max(1.0, std::abs(alone.parameter_gradients[i])));
  }
  EXPECT_EQ(got.correct, alone.correct);
  EXPECT_TRUE(at::equal(got.count, alone.count));
  const auto off = [&](double sum) { return 10 * tolerance * std::max(1.0, std::abs(sum)); };
  EXPECT_NEAR(got.positive_similarity, alone.positive_similarity, off(alone.positive_similarity));
  EXPECT_NEAR(got.negative_similarity, alone.negative_similarity, off(alone.negative_similarity));
  for (const auto& [name, value] : alone.metrics) EXPECT_NEAR(got.metrics.at(name), value, 10 * tolerance) << name;
}

/// Of a trial at a tolerance that others meet. The maximum is taken by a softmax of scale 1e9, which turns the last bit
/// of an fp64 score, different for every shape of a matrix product, into 1e-7 of a weight between rows that tie.
double tolerance_of(const Trial& trial, double tolerance) {
  const bool maximum =
      trial.name.find("negatives=max") != std::string::npos || trial.name.find("variant=virtual") != std::string::npos;
  return maximum ? std::max(tolerance, 1e-7) : tolerance;
}

class RankInvariance : public ::testing::TestWithParam<at::ScalarType> {};

void expect_invariant(const std::vector<Trial>& trials, double tolerance) {
  for (const Trial& trial : trials) {
    SCOPED_TRACE(trial.name);
    const ContrastAnswer alone = run_contrast(trial.job, 1);
    EXPECT_TRUE(std::isfinite(alone.loss));
    for (const int ranks : {2, 3, 4}) {
      SCOPED_TRACE(::testing::Message() << ranks << " ranks");
      expect_same(run_contrast(trial.job, ranks), alone, tolerance_of(trial, tolerance));
    }
  }
}

TEST_P(RankInvariance, HoldsForEveryObjectiveAndSource) {
  expect_invariant(all_trials(GetParam()), GetParam() == at::kDouble ? 1e-12 : 1e-6);
}

TEST_P(RankInvariance, HoldsForRawVectorsOfEveryObjectiveThatTakesThem) {
  expect_invariant(raw_trials(GetParam()), GetParam() == at::kDouble ? 1e-12 : 1e-6);
}

TEST_P(RankInvariance, HoldsWithTiesColdTemperatureAndRanksWithoutQueries) {
  // In fp32 a score at 1/tau = 100 is known to 1e-5.
  const double tolerance = GetParam() == at::kDouble ? 1e-12 : 3e-5;
  for (Trial& trial : all_trials(GetParam())) {
    SCOPED_TRACE(trial.name);
    ContrastJob& job = trial.job;
    // Three queries on four ranks, two of them the same, and a bank of copies.
    job.raw_queries = job.raw_queries.narrow(0, 0, 3).clone();
    job.raw_queries[1].copy_(job.raw_queries[0]);
    job.raw_keys = job.raw_keys.narrow(0, 0, 3).clone();
    job.labels = job.labels.narrow(0, 0, 3).clone();
    if (job.bank.defined()) job.bank.narrow(0, 4, 4).copy_(job.bank.narrow(0, 0, 4).clone());
    job.temperature.tau = 0.01;
    const ContrastAnswer alone = run_contrast(job, 1);
    EXPECT_TRUE(std::isfinite(alone.loss) && alone.raw_query_gradient.isfinite().all().item<bool>());
    for (const int ranks : {2, 4}) {
      SCOPED_TRACE(::testing::Message() << ranks << " ranks");
      expect_same(run_contrast(job, ranks), alone, tolerance_of(trial, tolerance));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Types, RankInvariance, ::testing::Values(at::kDouble, at::kFloat),
                         [](const auto& tested) { return tested.param == at::kDouble ? "fp64" : "fp32"; });

}  // namespace
}  // namespace negatron::testing

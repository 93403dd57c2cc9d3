// Gradients with respect to raw queries, raw keys and parameters, by central differences of the loss of one rank, for
// every objective over every source.

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "tests/samplers/contrast/slopes.h"
#include "tests/samplers/contrast/trials.h"

namespace negatron::testing {
namespace {

constexpr double kStep = 1e-5;
/// Central differences are off by about kStep^2 times a third derivative.
constexpr double kRelative = 1e-6;
constexpr double kAbsolute = 2e-8;

double loss_of(const ContrastJob& job) {
  return run_contrast(job, 1).loss;
}

/// How many of the trials have a gradient that central differences know.
int compare(const std::vector<Trial>& trials) {
  int compared = 0;
  for (const Trial& trial : trials) {
    if (holds_something_fixed(trial.job)) continue;
    SCOPED_TRACE(trial.name);
    // Losses are rounded to so much of themselves, which a difference of two shows.
    const double absolute = kAbsolute * std::max(1.0, std::abs(loss_of(trial.job)));
    const auto loss = [&] { return loss_of(trial.job); };
    const Slopes by_queries = slopes_along(trial.job.raw_queries, kStep, loss);
    const Slopes by_keys = slopes_along(trial.job.raw_keys, kStep, loss);
    EXPECT_GT(by_queries.values.norm().item<double>(), 1e-4);
    EXPECT_GT(by_keys.values.norm().item<double>(), 1e-4);
    std::vector<double> parameters;
    for (std::size_t i = 0; i < run_contrast(trial.job, 1).parameter_gradients.size(); ++i) {
      ContrastJob above = trial.job;
      above.parameter_shifts.assign(i + 1, 0.0);
      ContrastJob below = above;
      above.parameter_shifts[i] = kStep;
      below.parameter_shifts[i] = -kStep;
      parameters.push_back((loss_of(above) - loss_of(below)) / (2 * kStep));
    }
    for (const int ranks : {1, 2, 3}) {
      SCOPED_TRACE(::testing::Message() << ranks << " ranks");
      const ContrastAnswer got = run_contrast(trial.job, ranks);
      expect_slopes(got.raw_query_gradient, by_queries, kRelative, absolute);
      expect_slopes(got.raw_key_gradient, by_keys, kRelative, absolute);
      for (std::size_t i = 0; i < parameters.size(); ++i) {
        EXPECT_NEAR(got.parameter_gradients[i], parameters[i], absolute + kRelative * std::abs(parameters[i])) << i;
      }
    }
    ++compared;
  }
  return compared;
}

TEST(ContrastGradient, MatchesCentralDifferencesOnOneToThreeRanks) {
  EXPECT_GE(compare(all_trials(at::kDouble)), 40);
}

TEST(ContrastGradient, MatchesCentralDifferencesOfRawVectors) {
  EXPECT_GE(compare(raw_trials(at::kDouble)), 25);
}

}  // namespace
}  // namespace negatron::testing

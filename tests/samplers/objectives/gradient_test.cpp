// Gradients with respect to raw vectors and a learned temperature, by central differences, and the same answer on any
// number of ranks over several steps.

#include <cmath>
#include <stdexcept>

#include <gtest/gtest.h>

#include "samplers/bank/random_rows.h"
#include "samplers/objectives/exact_gradient.h"
#include "tests/samplers/objectives/trial.h"

namespace negatron {
namespace {

/// Vectors of various lengths.
at::Tensor raw_vectors(std::uint64_t seed, std::int64_t count, std::int64_t width) {
  return random_unit_rows(seed, 0, count, width) * (0.5 + at::arange(count, at::kDouble).remainder(3)).unsqueeze(1);
}

testing::Trial make_trial(const std::string& name, bool learned) {
  testing::Trial trial;
  trial.objective.name = name;
  trial.objective.key_gradient = true;
  trial.objective.temperature = {0.3, learned, at::kDouble, at::kCPU};
  trial.bank = random_unit_rows(3, 0, 7, 3);
  trial.steps = {{raw_vectors(4, 4, 3), raw_vectors(5, 4, 3), at::arange(4, at::kLong)}};
  return trial;
}

double loss_of(const testing::Trial& trial) {
  return run_trial(trial, 1).at(0).loss;
}

constexpr double kStep = 1e-5;

/// d loss / d vectors by central differences; `vectors` is a tensor of the trial.
at::Tensor central_differences(const testing::Trial& trial, const at::Tensor& vectors) {
  at::Tensor gradient = at::zeros_like(vectors);
  const at::Tensor flat = vectors.view(-1);
  for (std::int64_t i = 0; i < flat.numel(); ++i) {
    flat[i] += kStep;
    const double above = loss_of(trial);
    flat[i] -= 2 * kStep;
    const double below = loss_of(trial);
    flat[i] += kStep;
    gradient.view(-1)[i] = (above - below) / (2 * kStep);
  }
  return gradient;
}

class ObjectiveGradient : public ::testing::TestWithParam<const char*> {};

TEST_P(ObjectiveGradient, MatchesCentralDifferencesOnOneAndThreeRanks) {
  testing::Trial trial = make_trial(GetParam(), true);
  const at::Tensor queries = central_differences(trial, trial.steps[0].raw_queries);
  const at::Tensor keys = central_differences(trial, trial.steps[0].raw_keys);
  testing::Trial colder = trial;
  colder.objective.temperature.tau = 0.3 * std::exp(-kStep);
  testing::Trial warmer = trial;
  warmer.objective.temperature.tau = 0.3 * std::exp(kStep);
  const double log_scale = (loss_of(colder) - loss_of(warmer)) / (2 * kStep);
  EXPECT_GT(std::abs(log_scale), 1e-3);
  for (const int ranks : {1, 3}) {
    const testing::TrialResult got = run_trial(trial, ranks).at(0);
    EXPECT_TRUE(at::allclose(got.raw_query_gradient, queries, 1e-6, 1e-8)) << got.raw_query_gradient << queries;
    // Where keys take no gradient by definition, central differences would see the positive's.
    if (std::string(GetParam()) != "info-nce") {
      EXPECT_TRUE(at::allclose(got.raw_key_gradient, keys, 1e-6, 1e-8)) << got.raw_key_gradient << keys;
    }
    EXPECT_NEAR(got.log_scale_gradient, log_scale, 1e-7);
  }
}

double relative_difference(const at::Tensor& a, const at::Tensor& b) {
  return ((a - b).norm() / b.norm().clamp_min(1e-30)).item<double>();
}

TEST_P(ObjectiveGradient, IsTheSameOnAnyNumberOfRanksOverSteps) {
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    testing::Trial trial = make_trial(GetParam(), false);
    trial.objective.temperature.tau = 0.1;
    trial.bank = random_unit_rows(3, 0, 21, 6).to(type);
    trial.steps.clear();
    std::int64_t first_id = 0;
    for (const std::int64_t size : {8, 8, 3, 8, 5, 8}) {
      const auto seed = static_cast<std::uint64_t>(first_id) + 100;
      trial.steps.push_back({raw_vectors(seed, size, 6).to(type), raw_vectors(seed + 1, size, 6).to(type),
                             (at::arange(size, at::kLong) + first_id).remainder(10)});
      first_id += size;
    }
    const double tolerance = type == at::kFloat ? 1e-6 : 1e-12;
    const std::vector<testing::TrialResult> alone = run_trial(trial, 1);
    for (const int ranks : {2, 3, 4}) {
      const std::vector<testing::TrialResult> sharded = run_trial(trial, ranks);
      for (std::size_t step = 0; step < alone.size(); ++step) {
        SCOPED_TRACE(::testing::Message() << type << " on " << ranks << ", step " << step);
        EXPECT_NEAR(sharded[step].loss, alone[step].loss, tolerance * alone[step].loss);
        EXPECT_LT(relative_difference(sharded[step].raw_query_gradient, alone[step].raw_query_gradient), tolerance);
        EXPECT_LT(relative_difference(sharded[step].raw_key_gradient, alone[step].raw_key_gradient), tolerance);
        EXPECT_EQ(sharded[step].correct, alone[step].correct);
        EXPECT_NEAR(sharded[step].negative_similarity, alone[step].negative_similarity, 10 * tolerance);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Objectives, ObjectiveGradient, ::testing::Values("info-nce", "nt-xent", "info-nce-in-batch"));

TEST(Objective, WithoutNegativesTheLossIsZeroAndNothingIsNaN) {
  testing::Trial trial = make_trial("nt-xent", true);
  trial.steps = {{raw_vectors(4, 1, 3), raw_vectors(5, 1, 3), at::arange(1, at::kLong)}};
  const testing::TrialResult got = run_trial(trial, 2).at(0);
  EXPECT_EQ(got.loss, 0.0);
  EXPECT_EQ(got.raw_query_gradient.abs().sum().item<double>(), 0.0);
  EXPECT_EQ(got.log_scale_gradient, 0.0);
}

TEST(Objective, KeysTakeNoGradientUnlessAsked) {
  testing::Trial trial = make_trial("info-nce-in-batch", false);
  trial.objective.key_gradient = false;
  const testing::TrialResult got = run_trial(trial, 2).at(0);
  EXPECT_EQ(got.raw_key_gradient.abs().sum().item<double>(), 0.0);
  trial.objective.key_gradient = true;
  EXPECT_NEAR(run_trial(trial, 2).at(0).loss, got.loss, 1e-15);
}

TEST(KnownGradients, AreScaledByWhatArrives) {
  at::Tensor input = at::ones({2}).requires_grad_();
  const at::Tensor fixed = at::ones({2});
  const at::Tensor loss =
      with_known_gradients(at::scalar_tensor(7.0), {{input, at::tensor({3.0F, 5.0F})}, {fixed, fixed}});
  EXPECT_EQ(loss.item<float>(), 7.0F);
  (loss * 2.0).backward();
  EXPECT_TRUE(at::equal(input.grad(), at::tensor({6.0F, 10.0F})));
}

TEST(Temperature, LearnedScaleStaysAtOrBelowItsLimit) {
  const Temperature temperature({0.01, true, at::kDouble, at::kCPU});
  {
    const at::NoGradGuard no_grad;
    at::Tensor parameter = temperature.parameters().at(0);
    parameter += 1.0;
  }
  EXPECT_NEAR(temperature.scale(), Temperature::kMaxLearnedScale, 1e-9);
  EXPECT_NEAR(temperature.log_scale().item<double>(), std::log(100.0), 1e-12);
  EXPECT_EQ(Temperature({0.005, false}).scale(), 200.0);
  EXPECT_THROW(Temperature({0.005, true}), std::invalid_argument);
  EXPECT_THROW(Temperature({0.0, false}), std::invalid_argument);
}

TEST(Registry, NamesAllAndRefusesOthers) {
  for (const std::string& name : objective_names()) EXPECT_NE(make_objective({name, {}, false}), nullptr);
  EXPECT_EQ(objective_names().size(), 3u);
  EXPECT_THROW(make_objective({"info-mce", {}, false}), std::invalid_argument);
}

}  // namespace
}  // namespace negatron

// The property that the project exists for, for every sampler of the registry: the same negatives, loss and gradient on
// any number of ranks and shards.

#include <set>

#include <gtest/gtest.h>

#include "samplers/objectives/registry.h"
#include "tests/samplers/contrast/sampler_settings.h"
#include "tests/samplers/contrast/sampler_trial.h"

namespace negatron::testing {
namespace {

/// A log-sum-exp, two of them, a sum, a hinge, further positives: what every setting meets.
const std::vector<std::string> kEachKind = {"info-nce", "hcl", "siglip", "triplet", "supcon"};

/// Every objective of the registry that knows a bank.
std::vector<std::string> bank_objectives() {
  std::vector<std::string> names;
  for (const ObjectiveDescription& objective : objective_descriptions()) {
    const auto& sources = objective.sources;
    if (std::find(sources.begin(), sources.end(), NegativeSource::kBank) != sources.end()) {
      names.push_back(objective.name);
    }
  }
  return names;
}

/// A learned scale does not go with attached mixes, which a run refuses at start.
bool go_together(const std::string& options, const std::string& objective) {
  const bool learns_scale = objective == "siglip";
  return !learns_scale || options.find("attached=on") == std::string::npos;
}

/// Each sampler and each of its settings is compared on all of these; every objective and every kind of bank that it
/// goes with on kUnlike, where 10 queries, 24 samples and 47 rows have shares that differ.
const std::vector<int> kAnyNumber = {2, 3, 4};
const std::vector<int> kUnlike = {3};

/// In fp64, with a shard on each rank; a message names the sampler's options. Returns what one rank has.
SamplerOutcome expect_the_same_on(const std::vector<int>& numbers, const SamplerTrial& trial,
                                  const std::string& options) {
  SamplerOutcome alone = run_sampler_trial(trial, 1, 1);
  EXPECT_TRUE(alone.gradients.isfinite().all().item<bool>()) << options << " with " << trial.objective;
  for (const int ranks : numbers) {
    EXPECT_LT(difference(alone, run_sampler_trial(trial, ranks, ranks)), 1e-12)
        << options << " with " << trial.objective << " on " << ranks << " ranks";
  }
  return alone;
}

class SamplerInvariance : public ::testing::TestWithParam<std::string> {};

TEST_P(SamplerInvariance, SameAnswerOnAnyNumberOfRanks) {
  const std::vector<std::string> all_settings = settings_of(GetParam());
  for (const std::string& options : all_settings) {
    for (const std::string& objective : options == all_settings.front() ? bank_objectives() : kEachKind) {
      if (!go_together(options, objective)) continue;
      SamplerTrial trial = trial_of(GetParam(), options);
      trial.objective = objective;
      expect_the_same_on(objective == "info-nce" ? kAnyNumber : kUnlike, trial, options);
    }
  }
}

/// Every objective on every number of ranks, over the whole bank.
TEST(ObjectiveInvariance, SameAnswerOnAnyNumberOfRanks) {
  SamplerTrial trial = trial_of("whole-bank", "");
  for (const std::string& objective : bank_objectives()) {
    trial.objective = objective;
    expect_the_same_on(kAnyNumber, trial, objective);
  }
}

/// Whether the sampler, with these options, picks from a bank whose rows stay.
bool takes_one_batch(const std::string& name, const std::string& options) {
  const SamplerDescription& sampler = describe_sampler(name);
  return sampler.refuses_one_batch == nullptr ||
         sampler.refuses_one_batch(MethodOptions("--sampler " + name, sampler.options, options)).empty();
}

/// Over rows that stay, which lie in one batch; `copies` of the bank on 4 ranks. The first of the sampler's settings
/// meets an objective of each kind; over a queue all of its settings do.
void expect_same_over(BankKind kind, const std::string& sampler, int copies) {
  bool is_first = true;
  for (const std::string& options : settings_of(sampler)) {
    if (!takes_one_batch(sampler, options)) continue;
    const std::vector<std::string> objectives = is_first ? kEachKind : std::vector<std::string>{"info-nce"};
    is_first = false;
    SamplerTrial trial = trial_of(sampler, options);
    trial.bank_kind = kind;
    for (const std::string& objective : objectives) {
      // Weights of samples are no further positives.
      if (kind == BankKind::kParametric && describe_objective(objective).needs_labels) continue;
      if (!go_together(options, objective)) continue;
      trial.objective = objective;
      const SamplerOutcome alone = expect_the_same_on(objective == "info-nce" ? kAnyNumber : kUnlike, trial, options);
      EXPECT_LT(difference(alone, run_sampler_trial(trial, 4, 4 / copies)), 1e-12) << options;
    }
    trial = trial_of(sampler, options, at::kFloat);
    trial.bank_kind = kind;
    EXPECT_LT(difference(run_sampler_trial(trial, 1, 1), run_sampler_trial(trial, 3, 3)), 1e-6) << options;
  }
}

/// Whose rows are the positives.
TEST_P(SamplerInvariance, SameAnswerOverAMemoryBank) {
  expect_same_over(BankKind::kMemory, GetParam(), 2);
}

/// Whose rows are made anew all at once.
TEST_P(SamplerInvariance, SameAnswerOverAnIndex) {
  expect_same_over(BankKind::kIndex, GetParam(), 2);
}

/// Whose rows move by what all ranks' queries met of them in the steps before.
TEST_P(SamplerInvariance, SameAnswerOverALearnedBank) {
  expect_same_over(BankKind::kLearned, GetParam(), 1);
}

/// Whose rows are the positives and move down the loss, with what arrives in them as positives and as negatives.
TEST_P(SamplerInvariance, SameAnswerOverAParametricBank) {
  expect_same_over(BankKind::kParametric, GetParam(), 1);
}

bool takes_raw(const std::string& sampler, const std::string&) {
  return describe_sampler(sampler).why_unit_rows == nullptr;
}

bool takes_raw(const ObjectiveDescription& objective) {
  return objective.why_unit_rows == nullptr;
}

/// Whether the sampler, with these options, takes scores that are squared distances.
bool takes_distances(const std::string& name, const std::string& options) {
  const SamplerDescription& sampler = describe_sampler(name);
  return takes_raw(name, options) &&
         (sampler.why_inner_products == nullptr ||
          sampler.why_inner_products(MethodOptions("--sampler " + name, sampler.options, options)).empty());
}

bool takes_distances(const ObjectiveDescription& objective) {
  return takes_raw(objective) && why_inner_products(objective, NegativeSource::kBank) == nullptr;
}

/// Over queries, keys and rows that are no unit rows: every objective that takes them over a queue, the first of
/// `objectives` over all `kinds`, and all of these in fp32.
void expect_same_of_length(RowLength length, const std::string& sampler, const std::string& options,
                           const std::vector<BankKind>& kinds, const std::vector<std::string>& objectives) {
  const bool of_distances = length == RowLength::kDistance;
  SamplerTrial trial = trial_of(sampler, options);
  trial.length = length;
  for (const std::string& objective : bank_objectives()) {
    const ObjectiveDescription& description = describe_objective(objective);
    if (!(of_distances ? takes_distances(description) : takes_raw(description))) continue;
    if (!go_together(options, objective)) continue;
    trial.objective = objective;
    for (const BankKind kind : kinds) {
      const bool everywhere = objective == objectives.front() && takes_one_batch(sampler, options);
      if (kind != BankKind::kQueue && !everywhere) continue;
      trial.bank_kind = kind;
      expect_the_same_on(objective == objectives.front() ? kAnyNumber : kUnlike, trial, options);
    }
  }
  trial = trial_of(sampler, options, at::kFloat);
  trial.length = length;
  for (const std::string& objective : objectives) {
    trial.objective = objective;
    EXPECT_LT(difference(run_sampler_trial(trial, 1, 1), run_sampler_trial(trial, 3, 3)), 1e-6)
        << options << " with " << objective;
  }
}

/// Which have any length.
TEST_P(SamplerInvariance, SameAnswerOverRawRows) {
  for (const std::string& options : settings_of(GetParam())) {
    if (!takes_raw(GetParam(), options)) GTEST_SKIP() << "refused at the start of a run";
    expect_same_of_length(RowLength::kAsMade, GetParam(), options,
                          {BankKind::kQueue, BankKind::kMemory, BankKind::kIndex, BankKind::kParametric},
                          {"n-pair", "neg", "nce"});
  }
}

/// Scored by squared distances: rows keep the two further numbers of their vectors through steps and blends.
TEST_P(SamplerInvariance, SameAnswerOverDistances) {
  bool takes_any = false;
  for (const std::string& options : settings_of(GetParam())) {
    if (!takes_distances(GetParam(), options)) continue;
    takes_any = true;
    expect_same_of_length(
        RowLength::kDistance, GetParam(), options,
        {BankKind::kQueue, BankKind::kMemory, BankKind::kIndex, BankKind::kLearned, BankKind::kParametric},
        {"info-nce", "neg", "nce"});
  }
  if (!takes_any) GTEST_SKIP() << "refused at the start of a run";
}

TEST_P(SamplerInvariance, SameAnswerForAnyNumberOfShards) {
  for (const std::string& options : settings_of(GetParam())) {
    const SamplerTrial trial = trial_of(GetParam(), options);
    const SamplerOutcome alone = run_sampler_trial(trial, 1, 1);
    for (const int shards : {1, 2}) {
      EXPECT_LT(difference(alone, run_sampler_trial(trial, 4, shards)), 1e-12)
          << options << " in " << shards << " shards";
    }
  }
}

TEST_P(SamplerInvariance, SameAnswerInSinglePrecision) {
  for (const std::string& options : settings_of(GetParam())) {
    const SamplerTrial trial = trial_of(GetParam(), options, at::kFloat);
    const SamplerOutcome alone = run_sampler_trial(trial, 1, 1);
    for (const int ranks : {2, 3}) {
      EXPECT_LT(difference(alone, run_sampler_trial(trial, ranks, ranks)), 1e-6)
          << options << " on " << ranks << " ranks";
    }
  }
}

/// Bit for bit, also where another thread scores.
TEST_P(SamplerInvariance, SameAnswerWhenTheStageBeginsBeforeTheKeys) {
  const std::set<std::string> by_keys = {"semi-hard", "fn-attraction", "fn-elimination", "max-sampling", "warp"};
  for (const std::string& objective : kEachKind) {
    SamplerTrial trial = trial_of(GetParam(), settings_of(GetParam()).front(), at::kFloat);
    trial.objective = objective;
    for (const int ranks : {1, 3}) {
      trial.side_threads.reset();
      const SamplerOutcome at_once = run_sampler_trial(trial, ranks, ranks);
      for (const int threads : {0, 1}) {
        trial.side_threads = threads;
        const SamplerOutcome early = run_sampler_trial(trial, ranks, ranks);
        EXPECT_EQ(difference(at_once, early), 0.0) << objective << ", " << ranks << " ranks, " << threads << " threads";
        EXPECT_EQ(early.begun > 0, !by_keys.contains(GetParam()) && objective != "triplet") << objective;
      }
    }
  }
}

std::vector<std::string> sampler_names() {
  std::vector<std::string> names;
  for (const SamplerDescription& sampler : sampler_descriptions()) names.push_back(sampler.name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Registry, SamplerInvariance, ::testing::ValuesIn(sampler_names()), [](const auto& tested) {
  std::string name = tested.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

SamplerOutcome outcome_of(const std::string& sampler, const std::string& options,
                          const std::string& objective = "info-nce", const std::string& objective_options = "") {
  SamplerTrial trial = trial_of(sampler, options);
  trial.objective = objective;
  trial.objective_options = objective_options;
  return run_sampler_trial(trial, 2, 2);
}

TEST(SamplerIdentities, WhatCoversTheWholeBankIsInfoNce) {
  const SamplerOutcome whole = outcome_of("whole-bank", "");
  EXPECT_LT(difference(whole, outcome_of("ring", "outer=1,inner=0")), 1e-12);
  EXPECT_LT(difference(whole, outcome_of("top-n", "n=47")), 1e-12);
  EXPECT_LT(difference(whole, outcome_of("top-n", "n=4,warmup-epochs=100")), 1e-12);
  EXPECT_LT(difference(whole, outcome_of("mochi", "n=8,s=0,s-prime=0,warmup-epochs=0")), 1e-12);
  EXPECT_LT(difference(whole, outcome_of("fn-elimination", "threshold=1")), 1e-12);
  EXPECT_LT(difference(whole, outcome_of("whole-bank", "", "hcl", "beta=0,tau-plus=0")), 1e-12);
}

TEST(SamplerIdentities, SamplersChangeWhatQueriesMeet) {
  const SamplerOutcome whole = outcome_of("whole-bank", "");
  for (const auto& [sampler, settings] : sampler_settings()) {
    if (sampler == "self-adversarial" || sampler == "fn-attraction") continue;
    EXPECT_GT(difference(whole, outcome_of(sampler, settings.front())), 1e-6) << sampler;
  }
  EXPECT_GT(difference(outcome_of("whole-bank", "", "siglip"), outcome_of("self-adversarial", "", "siglip")), 1e-6);
  EXPECT_GT(difference(outcome_of("whole-bank", "", "supcon"),
                       outcome_of("fn-attraction", "top-k=5,threshold=0.5", "supcon")),
            1e-6);
}

}  // namespace
}  // namespace negatron::testing

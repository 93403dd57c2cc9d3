// The property that the project exists for, for every sampler of the registry: the same negatives, loss and gradient on
// any number of ranks and shards.

#include <map>
#include <set>

#include <gtest/gtest.h>

#include "samplers/objectives/registry.h"
#include "tests/samplers/contrast/sampler_trial.h"

namespace negatron::testing {
namespace {

/// Settings that make a sampler do its work on a bank of 47 rows. A sampler that is not listed runs with its defaults.
const std::map<std::string, std::vector<std::string>> kSettings = {
    {"top-n", {"n=9", "n=47", "n=12,skip=3,draw=4"}},
    {"ring", {"outer=0.5,inner=0.2", "outer=0.6,inner=0.1,inner-of-outer=off,anneal=linear,anneal-epochs=5"}},
    {"mochi",
     {"n=12,s=9,s-prime=5,warmup-epochs=0", "n=12,s=9,s-prime=5,warmup-epochs=0,mode=no-fetch",
      "n=12,s=9,s-prime=5,warmup-epochs=4,distinct=off,attached=on",
      "n=12,s=6,s-prime=3,warmup-epochs=0,max-label-share=0.5", "n=40,s=6,s-prime=0,warmup-epochs=0",
      "n=20,s=5,s-prime=5,warmup-epochs=0,mode=no-fetch,distinct=off",
      "n=12,s=6,s-prime=3,warmup-epochs=0,max-label-share=0.4,clusters=5,skip-own-cluster=on",
      "n=12,s=6,s-prime=3,warmup-epochs=0,budgets=6/2/4",
      "n=12,s=6,s-prime=3,warmup-epochs=0,type-scales=1/0.7/1.2,mode=no-fetch"}},
    {"multi-modal", {"n=12", "budgets=9/0/3,skip=2", "n=10,type-scales=1/0.7/1.2"}},
    {"fn-elimination", {"top-k=5,threshold=0.5"}},
    {"fn-attraction", {"top-k=5,threshold=0.5"}},
    {"easy-hard", {"rows=16,hard-share-start=0.2,anneal-epochs=8,skip-hardest=0.05"}},
    {"self-adversarial", {""}},
    {"semi-hard", {"", "rule=below-margin,pick=random", "margin=0.02,fallback=violator"}},
    {"max-sampling", {"m=8", "m=9,rule=mix", "m=8,candidates=20", "m=9,candidates=30,rule=mix"}},
    {"ance", {"n=2,draw=4,top=9", "n=1,draw=1,top=3,bank=on"}},
    {"dns", {"n=9,m=4", "n=1,m=60"}},
    {"negcut", {"n=6,noise=5,hidden=12", "n=3,noise=2,hidden=9,bank=off"}},
    {"daml", {"hidden=12", "hidden=9,bank=off,adversarial=3"}},
    {"nscaching", {"m=3,n=6,candidates=6", "m=6,n=6,candidates=3,update=top"}},
    {"warp", {"margin=0.4,trials=25", "margin=0.1,trials=3"}},
    {"popularity", {"m=20", "m=20,law=rank,lambda=4"}},
    {"uniform", {"m=20", "m=20,stand-for-bank=on"}},
    {"softmax", {"m=10,temperature=0.2", "m=3,candidates=20,temperature=0.2"}},
};

std::vector<std::string> settings_of(const std::string& sampler) {
  const auto found = kSettings.find(sampler);
  return found == kSettings.end() ? std::vector<std::string>{""} : found->second;
}

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

class SamplerInvariance : public ::testing::TestWithParam<std::string> {};

TEST_P(SamplerInvariance, SameAnswerOnAnyNumberOfRanks) {
  const std::vector<std::string> all_settings = settings_of(GetParam());
  for (const std::string& options : all_settings) {
    for (const std::string& objective : options == all_settings.front() ? bank_objectives() : kEachKind) {
      if (!go_together(options, objective)) continue;
      SamplerTrial trial = trial_of(GetParam(), options);
      trial.objective = objective;
      const SamplerOutcome alone = run_sampler_trial(trial, 1, 1);
      ASSERT_TRUE(alone.gradients.isfinite().all().item<bool>()) << options << " " << objective;
      for (const int ranks : {2, 3, 4}) {
        EXPECT_LT(difference(alone, run_sampler_trial(trial, ranks, ranks)), 1e-12)
            << options << " with " << objective << " on " << ranks << " ranks";
      }
    }
  }
}

/// Whether the sampler, with these options, picks from a bank whose rows stay.
bool takes_one_batch(const std::string& name, const std::string& options) {
  const SamplerDescription& sampler = describe_sampler(name);
  return sampler.refuses_one_batch == nullptr ||
         sampler.refuses_one_batch(MethodOptions("--sampler " + name, sampler.options, options)).empty();
}

/// Over rows that stay, which lie in one batch; `copies` of the bank on 4 ranks.
void expect_same_over(BankKind kind, const std::string& sampler, int copies) {
  for (const std::string& options : settings_of(sampler)) {
    if (!takes_one_batch(sampler, options)) continue;
    SamplerTrial trial = trial_of(sampler, options);
    trial.bank_kind = kind;
    for (const std::string& objective : kEachKind) {
      // Weights of samples are no further positives.
      if (kind == BankKind::kParametric && describe_objective(objective).needs_labels) continue;
      if (!go_together(options, objective)) continue;
      trial.objective = objective;
      const SamplerOutcome alone = run_sampler_trial(trial, 1, 1);
      ASSERT_TRUE(alone.gradients.isfinite().all().item<bool>()) << options << " " << objective;
      for (const int ranks : {2, 3, 4}) {
        EXPECT_LT(difference(alone, run_sampler_trial(trial, ranks, ranks)), 1e-12)
            << options << " with " << objective << " on " << ranks << " ranks";
      }
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

/// Whose rows, like queries and keys, have any length: every sampler and every objective that take them.
TEST_P(SamplerInvariance, SameAnswerOverRawRows) {
  if (describe_sampler(GetParam()).why_unit_rows != nullptr) GTEST_SKIP() << "refused at the start of a run";
  for (const std::string& options : settings_of(GetParam())) {
    SamplerTrial trial = trial_of(GetParam(), options);
    trial.length = RowLength::kAsMade;
    for (const std::string& objective : bank_objectives()) {
      if (describe_objective(objective).why_unit_rows != nullptr || !go_together(options, objective)) continue;
      trial.objective = objective;
      for (const BankKind kind : {BankKind::kQueue, BankKind::kMemory, BankKind::kIndex, BankKind::kParametric}) {
        if (kind != BankKind::kQueue && (objective != "n-pair" || !takes_one_batch(GetParam(), options))) continue;
        trial.bank_kind = kind;
        const SamplerOutcome alone = run_sampler_trial(trial, 1, 1);
        ASSERT_TRUE(alone.gradients.isfinite().all().item<bool>()) << options << " " << objective;
        for (const int ranks : {2, 3, 4}) {
          EXPECT_LT(difference(alone, run_sampler_trial(trial, ranks, ranks)), 1e-12)
              << options << " with " << objective << " on " << ranks << " ranks";
        }
      }
    }
    trial = trial_of(GetParam(), options, at::kFloat);
    trial.length = RowLength::kAsMade;
    for (const char* objective : {"n-pair", "neg", "nce"}) {
      trial.objective = objective;
      EXPECT_LT(difference(run_sampler_trial(trial, 1, 1), run_sampler_trial(trial, 3, 3)), 1e-6)
          << options << " with " << objective;
    }
  }
}

/// Whether the sampler, with these options, takes scores that are squared distances.
bool takes_distances(const std::string& name, const std::string& options) {
  const SamplerDescription& sampler = describe_sampler(name);
  if (sampler.why_unit_rows != nullptr) return false;
  return sampler.why_inner_products == nullptr ||
         sampler.why_inner_products(MethodOptions("--sampler " + name, sampler.options, options)).empty();
}

bool takes_distances(const ObjectiveDescription& objective) {
  return objective.why_unit_rows == nullptr && why_inner_products(objective, NegativeSource::kBank) == nullptr;
}

/// Scored by squared distances: every sampler and objective that take them, and every kind of bank, whose rows keep the
/// two further numbers of their vectors through steps and blends.
TEST_P(SamplerInvariance, SameAnswerOverDistances) {
  const auto& all_settings = settings_of(GetParam());
  const auto takes = [](const std::string& options) { return takes_distances(GetParam(), options); };
  if (std::none_of(all_settings.begin(), all_settings.end(), takes)) GTEST_SKIP() << "refused at the start of a run";
  for (const std::string& options : all_settings) {
    if (!takes(options)) continue;
    SamplerTrial trial = trial_of(GetParam(), options);
    trial.length = RowLength::kDistance;
    for (const std::string& objective : bank_objectives()) {
      if (!takes_distances(describe_objective(objective)) || !go_together(options, objective)) continue;
      trial.objective = objective;
      for (const BankKind kind :
           {BankKind::kQueue, BankKind::kMemory, BankKind::kIndex, BankKind::kLearned, BankKind::kParametric}) {
        if (kind != BankKind::kQueue && (objective != "info-nce" || !takes_one_batch(GetParam(), options))) continue;
        trial.bank_kind = kind;
        const SamplerOutcome alone = run_sampler_trial(trial, 1, 1);
        ASSERT_TRUE(alone.gradients.isfinite().all().item<bool>()) << options << " " << objective;
        for (const int ranks : {2, 3, 4}) {
          EXPECT_LT(difference(alone, run_sampler_trial(trial, ranks, ranks)), 1e-12)
              << options << " with " << objective << " on " << ranks << " ranks";
        }
      }
    }
    trial = trial_of(GetParam(), options, at::kFloat);
    trial.length = RowLength::kDistance;
    for (const char* objective : {"info-nce", "neg", "nce"}) {
      trial.objective = objective;
      EXPECT_LT(difference(run_sampler_trial(trial, 1, 1), run_sampler_trial(trial, 3, 3)), 1e-6)
          << options << " with " << objective;
    }
  }
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
  for (const auto& [sampler, settings] : kSettings) {
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

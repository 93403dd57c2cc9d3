// A run that was interrupted and goes on from its snapshot is the run that never stopped.

#include <gtest/gtest.h>

#include "tests/runtime/data/temporary_directory.h"
#include "tests/runtime/run/interrupted_training.h"
#include "tests/runtime/run/resuming/bit_equal.h"

namespace negatron::testing {
namespace {

struct Method {
  const char* name;
  const char* objective;
  const char* objective_options;
  const char* sampler;
  const char* sampler_options;
  bool learn_tau = false;
  bool symmetric = false;
  std::int64_t shards = 0;
  int ranks = 2;
  const char* encoder = "conv";
  OptimizerKind optimizer = OptimizerKind::kSgd;
  BankKind bank = BankKind::kQueue;
  RowLength length = RowLength::kUnit;
  RowOptimizerKind row_optimizer = RowOptimizerKind::kSgd;
};

class ResumedRun : public ::testing::TestWithParam<Method> {};

TEST_P(ResumedRun, OnTheSameRanksEqualsOneThatNeverStoppedBitForBit) {
  const TemporaryDirectory folder;
  SmallStart start;
  start.options = resumed_options(GetParam().objective);
  start.options = with_rows_of(GetParam().bank, start.options);
  start.options.rows.kind = GetParam().row_optimizer;
  if (GetParam().row_optimizer != RowOptimizerKind::kSgd) start.options.rows.rate = 0.05;
  start.options.head.length = GetParam().length;
  if (GetParam().length != RowLength::kUnit) {
    start.options.tau = GetParam().length == RowLength::kDistance ? 0.1 : 1.0;
    // The rate of small_options() is one for unit rows.
    start.options.learning_rate = 0.1;
    if (GetParam().bank == BankKind::kQueue) start.options.bank_fill = BankFill::kEmpty;
    start.options.negatives = NegativeSource::kBank;
  }
  start.options.objective_options = GetParam().objective_options;
  start.options.sampler = GetParam().sampler;
  start.options.sampler_options = GetParam().sampler_options;
  start.options.learn_tau = GetParam().learn_tau;
  start.options.symmetric = GetParam().symmetric;
  start.options.shards = GetParam().shards;
  start.options.encoder.name = GetParam().encoder;
  start.options.optimizer.kind = GetParam().optimizer;
  if (GetParam().optimizer != OptimizerKind::kSgd) start.options.optimizer.clip_norm = 0.2;
  // Looks of which some lie before the interruption and count from there on.
  start.options.telemetry_every = 4;
  start.options.telemetry_top = 5;
  start.ranks = GetParam().ranks;
  // A step of a large network takes what all others of a run do.
  const bool is_large = start.options.encoder.name != "conv";
  if (is_large) start.options.max_steps = kInterrupted + 2;
  start.run_directory = folder / "whole";
  const PretrainSummary whole = run(start);
  EXPECT_EQ(whole.steps_done, is_large ? kInterrupted + 2 : 20);

  start.run_directory = folder / "parts";
  run_first_part(start);
  start.resume = "auto";
  const PretrainSummary resumed = run(start);

  EXPECT_EQ(resumed.trained, whole.trained);
  EXPECT_EQ(resumed.random_weights, whole.random_weights);
  expect_bit_equal(newest_saved(folder / "parts"), newest_saved(folder / "whole"));
  const Saved saved = newest_saved(folder / "whole");
  EXPECT_TRUE(!saved.bank || saved.bank->length == GetParam().length);
  EXPECT_EQ(metrics_lines(folder / "parts", "step"), metrics_lines(folder / "whole", "step"));
  EXPECT_EQ(metrics_lines(folder / "parts", "evaluation"), metrics_lines(folder / "whole", "evaluation"));
}

INSTANTIATE_TEST_SUITE_P(
    Methods, ResumedRun,
    ::testing::Values(
        Method{"moco", "info-nce", "", "whole-bank", ""},
        Method{"mochi", "info-nce", "", "mochi", "n=16,s=8,s-prime=4,warmup-epochs=0,adapt=proxy,auto-n=on"},
        Method{"pseudo_labels", "info-nce", "", "mochi",
               "n=16,s=8,s-prime=4,warmup-epochs=0,clusters=6,max-label-share=0.3"},
        Method{"ring_adaptive", "info-nce", "", "ring", "anneal=adaptive,outer=0.4"},
        Method{"ring_linear", "info-nce", "", "ring", "anneal=linear,anneal-epochs=3,outer=0.4"},
        Method{"nce", "nce", "log-z=learned", "whole-bank", ""},
        Method{"learned_temperature", "info-nce", "", "whole-bank", "", true},
        Method{"hcl", "hcl", "anneal=linear", "whole-bank", ""},
        Method{"byol", "byol", "", "whole-bank", "", false, true}, Method{"simclr", "nt-xent", "", "whole-bank", ""},
        Method{"mesh", "info-nce", "", "top-n", "n=20,skip=1", false, false, 2, 4},
        Method{"negcut", "info-nce", "", "negcut", "n=4,noise=3,hidden=12", true, true, 0, 3},
        Method{"daml", "triplet", "", "daml", "hidden=12,adversarial=1,bank=off", false, false, 0, 2, "conv",
               OptimizerKind::kAdamW},
        Method{"nscaching", "info-nce", "", "nscaching", "m=4,n=7,candidates=7", false, false, 2, 4, "conv",
               OptimizerKind::kSgd, BankKind::kMemory},
        Method{"resnet18", "info-nce", "", "whole-bank", "", false, false, 0, 2, "resnet18"},
        Method{"lars", "info-nce", "", "whole-bank", "", true, false, 0, 2, "conv", OptimizerKind::kLars},
        Method{"adamw", "info-nce", "", "whole-bank", "", true, false, 0, 2, "conv", OptimizerKind::kAdamW},
        Method{"memory", "info-nce", "", "whole-bank", "", false, false, 0, 3, "conv", OptimizerKind::kSgd,
               BankKind::kMemory},
        Method{"memory_mesh", "nce", "log-z=first-batch,noise-count=20", "uniform", "m=20", false, false, 2, 4, "conv",
               OptimizerKind::kSgd, BankKind::kMemory},
        Method{"learned", "info-nce", "", "whole-bank", "", false, true, 0, 3, "conv", OptimizerKind::kSgd,
               BankKind::kLearned},
        Method{"learned_top", "hcl", "", "top-n", "n=20,skip=1", false, false, 0, 2, "conv", OptimizerKind::kSgd,
               BankKind::kLearned},
        Method{"raw_n_pair", "n-pair", "l2=0.01", "top-n", "n=20", false, true, 0, 3, "conv", OptimizerKind::kSgd,
               BankKind::kQueue, RowLength::kAsMade},
        Method{"raw_memory", "nce", "log-z=first-batch,noise-count=20", "uniform", "m=20", false, false, 2, 4, "conv",
               OptimizerKind::kSgd, BankKind::kMemory, RowLength::kAsMade},
        Method{"raw_index", "neg", "", "uniform", "m=5", false, false, 0, 2, "conv", OptimizerKind::kSgd,
               BankKind::kIndex, RowLength::kAsMade},
        Method{"distance", "info-nce", "", "top-n", "n=20,skip=1", false, true, 0, 3, "conv", OptimizerKind::kSgd,
               BankKind::kQueue, RowLength::kDistance},
        Method{"distance_memory", "info-nce", "", "whole-bank", "", true, false, 2, 4, "conv", OptimizerKind::kSgd,
               BankKind::kMemory, RowLength::kDistance},
        Method{"distance_index", "nce", "log-z=learned", "uniform", "m=5", false, false, 0, 2, "conv",
               OptimizerKind::kSgd, BankKind::kIndex, RowLength::kDistance},
        Method{"distance_learned", "info-nce", "", "whole-bank", "", false, true, 0, 3, "conv", OptimizerKind::kSgd,
               BankKind::kLearned, RowLength::kDistance},
        Method{"distance_adam", "info-nce", "", "uniform", "m=20", false, false, 0, 2, "conv", OptimizerKind::kSgd,
               BankKind::kParametric, RowLength::kDistance, RowOptimizerKind::kAdam},
        Method{"index", "info-nce", "", "top-n", "n=20,skip=1", false, true, 2, 4, "conv", OptimizerKind::kSgd,
               BankKind::kIndex},
        Method{"ance", "info-nce", "", "ance", "n=2,top=12,draw=5", false, false, 0, 3, "conv", OptimizerKind::kSgd,
               BankKind::kIndex},
        Method{"parametric", "info-nce", "", "whole-bank", "", false, false, 0, 3, "conv", OptimizerKind::kSgd,
               BankKind::kParametric},
        Method{"parametric_adam", "nce", "log-z=first-batch,noise-count=20", "uniform", "m=20", false, false, 0, 2,
               "conv", OptimizerKind::kSgd, BankKind::kParametric, RowLength::kUnit, RowOptimizerKind::kAdam},
        Method{"learned_adagrad", "info-nce", "", "uniform", "m=20", false, true, 0, 2, "conv", OptimizerKind::kSgd,
               BankKind::kLearned, RowLength::kUnit, RowOptimizerKind::kAdagrad}),
    [](const auto& tested) { return tested.param.name; });

/// Both banks come back, on other ranks too.
TEST(SavedRun, GoesOnWithABankOfEachView) {
  const TemporaryDirectory folder;
  SmallStart start;
  start.options = with_memory(resumed_options("nce"));
  start.options.bank_per_view = true;
  start.options.objective_options = "log-z=first-batch";
  start.ranks = 3;
  start.run_directory = folder / "whole";
  run(start);
  start.run_directory = folder / "parts";
  run_first_part(start);
  std::filesystem::copy(folder / "parts", folder / "elsewhere", std::filesystem::copy_options::recursive);
  start.resume = "auto";
  run(start);
  const Saved whole = newest_saved(folder / "whole");
  ASSERT_EQ(whole.further_keys.size(), 1U);
  EXPECT_FALSE(at::equal(whole.further_keys[0].vectors, whole.keys.vectors));
  expect_bit_equal(newest_saved(folder / "parts"), whole);
  EXPECT_EQ(metrics_lines(folder / "parts", "step"), metrics_lines(folder / "whole", "step"));

  start.ranks = 2;
  start.run_directory = folder / "elsewhere";
  run(start);
  const Saved elsewhere = newest_saved(folder / "elsewhere");
  EXPECT_TRUE(at::allclose(elsewhere.further_keys.at(0).vectors, whole.further_keys[0].vectors, 1e-3, 1e-3));
}

/// The order of an epoch that was begun is that of its beginning, and is in the snapshot.
TEST(SavedRun, GoesOnInTheOrderThatItsEpochBeganWith) {
  for (const BankKind kind : {BankKind::kQueue, BankKind::kMemory, BankKind::kIndex}) {
    const TemporaryDirectory folder;
    SmallStart start;
    start.options = with_rows_of(kind, resumed_options("info-nce"));
    start.options.batch_order = BatchOrder::kSimilar;
    start.options.batch_similar = 1.0;
    start.options.refresh_every = {RunInterval::Unit::kSteps, 3};
    start.run_directory = folder / "whole";
    run(start);
    start.run_directory = folder / "parts";
    run_first_part(start);
    EXPECT_EQ(newest_saved(folder / "parts").trainer.tensor("epoch_order").size(0), 50);
    start.resume = "auto";
    run(start);
    expect_bit_equal(newest_saved(folder / "parts"), newest_saved(folder / "whole"));
    EXPECT_EQ(metrics_lines(folder / "parts", "step"), metrics_lines(folder / "whole", "step"));
  }
}

/// What a sampler keeps for its samples follows the steps, and is in the snapshot.
TEST(SavedRun, HoldsCachesThatFollowedTheSteps) {
  const TemporaryDirectory folder;
  SmallStart start;
  start.options = with_memory(resumed_options("info-nce"));
  start.options.sampler = "nscaching";
  start.options.sampler_options = "m=4,n=7,candidates=7";
  start.ranks = 2;
  start.run_directory = folder / "run";
  run(start);
  SamplerArguments arguments;
  arguments.options = MethodOptions("--sampler", describe_sampler("nscaching").options, start.options.sampler_options);
  arguments.seed = start.options.seed;
  arguments.bank_rows = start.options.bank_rows;
  const at::Tensor begun = make_sampler("nscaching", arguments)->lists();
  const at::Tensor saved = newest_saved(start.run_directory).trainer.tensor("sampler_lists");
  ASSERT_EQ(saved.sizes(), begun.sizes());
  // Of each sample: every one was met in an epoch.
  EXPECT_TRUE((saved != begun).any(1).all().item<bool>());
}

}  // namespace
}  // namespace negatron::testing

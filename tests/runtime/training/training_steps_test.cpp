// The property that the project exists for, on whole training steps: loader, views, encoder, bank, exchange, objective,
// gradient reduction, optimizer and momentum encoder together give the same losses on any number of ranks.

#include <gtest/gtest.h>

#include <ATen/Parallel.h>

#include "comm/threads/thread_communicator.h"
#include "runtime/data/batch_source.h"
#include "runtime/training/trainer.h"
#include "tests/runtime/training/small_training.h"

namespace negatron::testing {
namespace {

std::vector<double> losses(const PretrainOptions& options, Precision precision, int ranks, int steps = kComparedSteps) {
  return first_steps(options, precision, ranks, steps).losses;
}

class TrainingSteps : public ::testing::TestWithParam<const char*> {};

TEST_P(TrainingSteps, LossesDoNotDependOnTheNumberOfRanksFp64) {
  expect_same_losses(small_options(GetParam()), Precision::kFp64, 1e-10);
}

TEST_P(TrainingSteps, LossesDoNotDependOnTheNumberOfRanksFp32) {
  expect_same_losses(small_options(GetParam()), Precision::kFp32, 1e-4);
}

INSTANTIATE_TEST_SUITE_P(Objectives, TrainingSteps, ::testing::Values("info-nce", "info-nce-in-batch", "nt-xent"));

TEST(TrainingSteps, LearnedTemperatureAndEmptyBankDoNotDependOnTheNumberOfRanks) {
  PretrainOptions options = small_options("info-nce");
  options.learn_tau = true;
  options.bank_fill = BankFill::kEmpty;
  options.momentum_schedule = MomentumSchedule::kCosine;
  expect_same_losses(options, Precision::kFp64, 1e-10);
}

struct Method {
  const char* name;
  const char* objective;
  const char* sampler;
  const char* sampler_options;
  bool symmetric;
  std::int64_t shards;
};

class TrainingMethods : public ::testing::TestWithParam<Method> {};

TEST_P(TrainingMethods, LossesDoNotDependOnTheNumberOfRanks) {
  PretrainOptions options = small_options(GetParam().objective);
  options.sampler = GetParam().sampler;
  options.sampler_options = GetParam().sampler_options;
  options.symmetric = GetParam().symmetric;
  options.telemetry_every = 4;
  options.telemetry_top = 5;
  const std::vector<double> one = losses(options, Precision::kFp64, 1);
  EXPECT_GT(std::abs(one.front() - one.back()), 1e-3);
  for (const int ranks : {2, 4}) {
    // A mesh where the method has a bank to shard.
    options.shards = ranks == 4 ? GetParam().shards : 0;
    const std::vector<double> many = losses(options, Precision::kFp64, ranks);
    for (std::size_t step = 0; step < one.size(); ++step) {
      EXPECT_NEAR(many[step], one[step], 1e-9 * std::abs(one[step])) << ranks << " ranks, step " << step;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Methods, TrainingMethods,
    ::testing::Values(Method{"mochi", "info-nce", "mochi", "n=16,s=8,s-prime=4,warmup-epochs=1", false, 2},
                      Method{"mochi_no_fetch", "info-nce", "mochi", "n=16,s=8,s-prime=4,warmup-epochs=0,mode=no-fetch",
                             false, 2},
                      Method{"ring", "info-nce", "ring", "anneal=linear,anneal-epochs=3,outer=0.4", false, 1},
                      Method{"hcl", "hcl", "whole-bank", "", false, 2},
                      Method{"semi_hard", "triplet", "semi-hard", "margin=0.5", false, 4},
                      Method{"dns", "info-nce", "dns", "n=6,m=4", true, 2},
                      Method{"warp", "margin-ranking", "warp", "trials=20,margin=0.3", false, 2},
                      Method{"negcut", "info-nce", "negcut", "n=4,noise=3,hidden=12", true, 2},
                      Method{"daml", "info-nce", "daml", "hidden=12,adversarial=1", false, 2},
                      Method{"symmetric", "info-nce", "top-n", "n=20,skip=1", true, 2},
                      Method{"byol", "byol", "whole-bank", "", true, 0}),
    [](const auto& tested) { return tested.param.name; });

TEST(TrainingSteps, BatchesOfIdentitiesDoNotDependOnTheNumberOfRanks) {
  PretrainOptions options = small_options("supcon");
  options.negatives = NegativeSource::kBatch;
  options.batch_identities = 4;
  expect_same_losses(options, Precision::kFp64, 1e-9);
  const std::vector<double> by_identity = losses(options, Precision::kFp64, 1);
  options.batch_identities = 0;
  EXPECT_NE(losses(options, Precision::kFp64, 1).front(), by_identity.front());
}

TEST(TrainingSteps, ByolNormalisesOverTheBatchesOfAllRanks) {
  PretrainOptions options = small_options("byol");
  options.symmetric = true;
  options.predictor_hidden = 24;
  // Little enough that rounding does not grow beyond the tolerance in these steps.
  options.learning_rate = 0.02;
  expect_same_losses(options, Precision::kFp64, 1e-12);
  const std::vector<double> normalized = losses(options, Precision::kFp64, 1);
  options.head_norm = HeadNorm::kNone;
  EXPECT_NE(losses(options, Precision::kFp64, 1).front(), normalized.front());
}

TEST(TrainingSteps, HeadsWithBatchNormDoNotDependOnTheNumberOfRanks) {
  for (const char* objective : {"info-nce", "nt-xent"}) {
    PretrainOptions options = small_options(objective);
    options.head_norm = HeadNorm::kBatch;
    options.learning_rate = 0.2;
    expect_same_losses(options, Precision::kFp64, 1e-10);
  }
}

TEST(TrainingSteps, ResNetsNormaliseOverTheBatchesOfAllRanks) {
  PretrainOptions options = small_options("info-nce");
  options.encoder.name = "resnet18";
  // Little enough that rounding does not grow beyond the tolerance in these steps, all before the batch of 2 samples,
  // whose norms know no more than signs.
  options.learning_rate = 0.005;
  constexpr int kWholeBatches = 3;
  const std::vector<double> one = losses(options, Precision::kFp64, 1, kWholeBatches);
  EXPECT_GT(std::abs(one.front() - one.back()), 1e-3);
  const std::vector<double> many = losses(options, Precision::kFp64, 3, kWholeBatches);
  ASSERT_EQ(many.size(), one.size());
  for (std::size_t step = 0; step < one.size(); ++step) {
    EXPECT_NEAR(many[step], one[step], 1e-10 * std::abs(one[step])) << "step " << step;
  }
}

TEST(TrainingSteps, VisionTransformersDoNotDependOnTheNumberOfRanks) {
  PretrainOptions options = small_options("info-nce");
  options.encoder.name = "vit_tiny:patch=4,fixed-patch=on";
  options.optimizer.kind = OptimizerKind::kAdamW;
  options.learning_rate = 0.02;
  constexpr int kFewSteps = 6;
  const std::vector<double> one = losses(options, Precision::kFp64, 1, kFewSteps);
  EXPECT_GT(std::abs(one.front() - one.back()), 1e-3);
  const std::vector<double> two = losses(options, Precision::kFp64, 2, kFewSteps);
  for (std::size_t step = 0; step < one.size(); ++step) {
    EXPECT_NEAR(two[step], one[step], 1e-10 * std::abs(one[step])) << "step " << step;
  }
}

TEST(TrainingSteps, OptimizersDoNotDependOnTheNumberOfRanks) {
  for (const OptimizerKind kind : {OptimizerKind::kLars, OptimizerKind::kAdamW}) {
    PretrainOptions options = small_options("info-nce");
    options.optimizer.kind = kind;
    options.optimizer.clip_norm = 0.1;
    options.optimizer.trust_coefficient = 0.1;
    options.learning_rate = kind == OptimizerKind::kLars ? 2.0 : 0.1;
    expect_same_losses(options, Precision::kFp64, 1e-9);
  }
}

/// What DAML's generator minimises of itself is large beside the loss, and does not look at the encoder: cut together,
/// the encoder's gradient would be cut by it.
TEST(TrainingSteps, AGeneratorsOwnLossDoesNotShortenTheStepOfTheEncoder) {
  PretrainOptions options = small_options("info-nce");
  options.sampler = "daml";
  options.optimizer.clip_norm = 0.01;
  const auto after_a_step = [&](const std::string& sampler_options) {
    options.sampler_options = sampler_options;
    return first_steps(options, Precision::kFp64, 2, 1).tensors;
  };
  const auto gentle = after_a_step("hidden=12,adversarial=0");
  const auto harsh = after_a_step("hidden=12,adversarial=50");
  std::int64_t generators = 0;
  ASSERT_EQ(gentle.size(), harsh.size());
  for (std::size_t i = 0; i < gentle.size(); ++i) {
    const auto& [name, tensor] = gentle[i];
    const bool is_generators = name.find("generator.") != std::string::npos;
    generators += is_generators && !at::equal(tensor, harsh[i].second) ? 1 : 0;
    EXPECT_TRUE(is_generators || at::equal(tensor, harsh[i].second)) << name;
  }
  EXPECT_GT(generators, 0);
}

TEST(TrainingSteps, ByolEmbedsEachImageForItselfAndGoesOnTraining) {
  PretrainOptions options = small_options("byol");
  run_ranks(2, CommunicatorOptions{}, [&](Communicator& comm) {
    at::set_num_threads(1);
    const auto data = rectangles();
    BatchOptions batches;
    batches.global_batch = options.global_batch;
    batches.rank = comm.rank();
    batches.ranks = comm.size();
    const BatchSource source(data, batches);
    const auto losses_with = [&](bool embeds) {
      Trainer trainer(options, resolve_contrast(options), {at::kCPU, Precision::kFp64}, comm,
                      {1, source.steps_per_epoch(), {}});
      StepTimer timer;
      std::vector<double> result;
      for (std::int64_t step = 0; step < 3; ++step) {
        timer.start_step();
        result.push_back(trainer.step(source.build(0, step), timer).loss);
        const at::Tensor images = source.build(0, step).view_a;
        // On one rank alone: a collective would not return.
        if (!embeds || comm.rank() != 0) continue;
        EXPECT_TRUE(at::allclose(trainer.encoders().embed(images)[0],
                                 trainer.encoders().embed(images.narrow(0, 0, 1))[0], 1e-12, 1e-12));
      }
      return result;
    };
    EXPECT_EQ(losses_with(true), losses_with(false));
  });
}

TEST(TrainingSteps, MaskingTheOwnSampleChangesTheLoss) {
  PretrainOptions options = small_options("info-nce");
  const std::vector<double> masked = losses(options, Precision::kFp64, 2);
  options.mask_own_sample = false;
  const std::vector<double> unmasked = losses(options, Precision::kFp64, 2);
  // The first epoch is 5 steps: no older key of a sample exists before.
  for (std::size_t step = 0; step < 5; ++step) EXPECT_EQ(masked[step], unmasked[step]);
  EXPECT_NE(masked[6], unmasked[6]);
}

TEST(TrainingSteps, AStepThatIsNotFiniteIsSkippedByAllRanksAndCounted) {
  const PretrainOptions options = small_options("info-nce");
  run_ranks(3, CommunicatorOptions{}, [&](Communicator& comm) {
    at::set_num_threads(1);
    const auto data = rectangles();
    BatchOptions batches;
    batches.global_batch = options.global_batch;
    batches.rank = comm.rank();
    batches.ranks = comm.size();
    const BatchSource source(data, batches);
    Trainer trainer(options, resolve_contrast(options), {at::kCPU, Precision::kFp32}, comm,
                    {1, source.steps_per_epoch(), {}});
    StepTimer timer;
    timer.start_step();
    trainer.step(source.build(0, 0), timer);
    const at::Tensor before = trainer.encoders().features(source.build(0, 1).view_a);
    const std::int64_t head = trainer.bank()->layout().head();

    Batch poisoned = source.build(0, 1);
    if (comm.rank() == 1) poisoned.view_a.fill_(std::numeric_limits<float>::quiet_NaN());
    timer.start_step();
    const StepMetrics metrics = trainer.step(poisoned, timer);

    EXPECT_EQ(metrics.skipped_steps, 1) << "rank " << comm.rank();
    EXPECT_TRUE(at::equal(trainer.encoders().features(source.build(0, 1).view_a), before)) << "rank " << comm.rank();
    EXPECT_EQ(trainer.bank()->layout().head(), head) << "rank " << comm.rank();
  });
}

}  // namespace
}  // namespace negatron::testing

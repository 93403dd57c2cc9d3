// The same losses on any number of ranks over rows that stay, and by the definition: what a step of a memory bank and
// of a learned one does, beside a plain one on one device.

#include <limits>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/optim/sgd.h>

#include "comm/threads/thread_communicator.h"
#include "runtime/data/batch_source.h"
#include "runtime/training/trainer.h"
#include "tests/reference/plain_learned.h"
#include "tests/runtime/training/small_training.h"

namespace negatron::testing {
namespace {

TEST(BankSteps, WithAMemoryBankDoNotDependOnTheNumberOfRanks) {
  for (const char* objective : {"info-nce", "nce", "hcl"}) {
    PretrainOptions options = with_memory(small_options(objective));
    if (options.objective == "nce") options.objective_options = "log-z=first-batch";
    expect_same_losses(options, Precision::kFp64, 1e-10);
    expect_same_losses(options, Precision::kFp32, 1e-4, {3});
    options.sampler = "top-n";
    options.sampler_options = "n=9,skip=1";
    options.max_key_age = 3;
    expect_same_losses(options, Precision::kFp64, 1e-10, {3});
  }
}

/// By the definition, on one rank: the positive of a query is its own sample's row among all rows.
TEST(BankSteps, WithAMemoryBankContrastASampleWithItsOwnRow) {
  const PretrainOptions options = with_memory(small_options("info-nce"));
  run_ranks(1, {}, [&](Communicator& comm) {
    const auto data = rectangles();
    const BatchSource source = small_batches(options, comm);
    Trainer trainer(options, resolve_contrast(options), {at::kCPU, Precision::kFp64}, comm,
                    {data->channels(), source.steps_per_epoch(), {}, data->view_size()});
    EXPECT_FALSE(trainer.encoders().has_momentum_encoder());
    StepTimer timer;
    for (std::int64_t step = 0; step < 7; ++step) {
      const Batch batch = source.build(step / source.steps_per_epoch(), step % source.steps_per_epoch());
      EXPECT_FALSE(batch.view_b.defined());
      const at::NoGradGuard no_grad;
      const at::Tensor queries = trainer.encoders().query(batch.view_a);
      const at::Tensor rows = trainer.bank()->shard().rows.vectors.clone();
      const at::Tensor own = rows.index_select(0, batch.ids);
      const double loss = at::cross_entropy_loss(queries.mm(rows.t()) / options.tau, batch.ids).item<double>();
      timer.start_step();
      {
        const at::AutoGradMode with_gradient(true);
        EXPECT_NEAR(trainer.step(batch, timer).loss, loss, 1e-12 * loss) << "step " << step;
      }
      const at::Tensor mixed = options.bank_momentum * own + (1.0 - options.bank_momentum) * queries;
      const at::Tensor expected = rows.index_copy(0, batch.ids, mixed / mixed.norm(2, {1}, true));
      EXPECT_TRUE(at::allclose(trainer.bank()->shard().rows.vectors, expected, 1e-13, 1e-13)) << "step " << step;
    }
  });
}

TEST(BankSteps, WithALearnedBankDoNotDependOnTheNumberOfRanks) {
  for (const char* objective : {"info-nce", "siglip", "hcl"}) {
    PretrainOptions options = with_learned(small_options(objective));
    expect_same_losses(options, Precision::kFp64, 1e-10);
    expect_same_losses(options, Precision::kFp32, 1e-4, {3});
    options.symmetric = true;
    options.sampler = "top-n";
    options.sampler_options = "n=9,skip=1";
    expect_same_losses(options, Precision::kFp64, 1e-10, {3});
  }
  PretrainOptions options = with_learned(small_options("info-nce"));
  options.negatives = NegativeSource::kBankAndBatch;
  expect_same_losses(options, Precision::kFp64, 1e-10, {3});
}

/// By the definition, on one rank: rows take the steps of a plain bank, and queries meet them as they were.
TEST(BankSteps, WithALearnedBankRaiseTheLossOfTheirOwnTemperature) {
  for (const bool symmetric : {false, true}) {
    PretrainOptions options = with_learned(small_options("info-nce"));
    options.symmetric = symmetric;
    run_ranks(1, {}, [&](Communicator& comm) {
      const auto data = rectangles();
      const BatchSource source = small_batches(options, comm);
      Trainer trainer(options, resolve_contrast(options), {at::kCPU, Precision::kFp64}, comm,
                      {data->channels(), source.steps_per_epoch(), {}, data->view_size()});
      PlainLearned plain = PlainLearned::start(options.bank_rows, options.head.output, options.seed);
      StepTimer timer;
      for (std::int64_t step = 0; step < 7; ++step) {
        const Batch batch = source.build(step / source.steps_per_epoch(), step % source.steps_per_epoch());
        // Both directions one below the other: the plain loss is a mean over all of them.
        at::Tensor queries, positive;
        double loss = 0.0;
        {
          const at::NoGradGuard no_grad;
          const at::Tensor query = trainer.encoders().query(batch.view_a);
          const at::Tensor key = trainer.encoders().key(batch.view_b);
          queries = query;
          positive = (query * key).sum(1);
          if (symmetric) {
            const at::Tensor other = trainer.encoders().query(batch.view_b);
            queries = at::cat({query, other});
            positive = at::cat({positive, (other * trainer.encoders().key(batch.view_a)).sum(1)});
          }
          loss = PlainLearned::loss(plain.raw, queries, positive, options.tau).item<double>();
        }
        timer.start_step();
        EXPECT_NEAR(trainer.step(batch, timer).loss, loss, 1e-11 * loss) << "step " << step;
        plain.step(queries, positive, options.rows_tau, options.rows);
        const BankShard& shard = trainer.bank()->shard();
        EXPECT_TRUE(at::allclose(shard.raw, plain.raw, 1e-10, 1e-11)) << "step " << step;
        EXPECT_TRUE(at::allclose(shard.rows.vectors, plain.rows(), 1e-10, 1e-11)) << "step " << step;
      }
    });
  }
}

TEST(BankSteps, WithAParametricBankDoNotDependOnTheNumberOfRanks) {
  for (const char* objective : {"info-nce", "nce", "hcl", "siglip"}) {
    PretrainOptions options = with_parametric(small_options(objective));
    expect_same_losses(options, Precision::kFp64, 1e-10);
    expect_same_losses(options, Precision::kFp32, 1e-4, {3});
    for (const RowOptimizerKind kind : {RowOptimizerKind::kSgd, RowOptimizerKind::kAdagrad, RowOptimizerKind::kAdam}) {
      options.rows.kind = kind;
      options.rows.rate = 0.1;
      options.sampler = "uniform";
      options.sampler_options = "m=9";
      expect_same_losses(options, Precision::kFp64, 1e-10, {3});
    }
  }
}

TEST(BankSteps, WithALearnedBankUnderOtherOptimizersDoNotDependOnTheNumberOfRanks) {
  for (const RowOptimizerKind kind : {RowOptimizerKind::kAdagrad, RowOptimizerKind::kAdam}) {
    PretrainOptions options = with_learned(small_options("info-nce"));
    options.rows.kind = kind;
    options.rows.rate = 0.1;
    expect_same_losses(options, Precision::kFp64, 1e-10, {3});
    options.symmetric = true;
    options.sampler = "uniform";
    options.sampler_options = "m=9";
    expect_same_losses(options, Precision::kFp64, 1e-10, {3});
  }
}

/// By the definition, on one rank: a classifier of all samples whose weights PyTorch trains.
void expect_a_classifier(RowLength length) {
  PretrainOptions options = with_parametric(small_options("info-nce"));
  options.head.length = length;
  const bool is_unit = length == RowLength::kUnit;
  // The rate of small_options() is one for unit rows.
  if (!is_unit) options.learning_rate = 0.1;
  run_ranks(1, {}, [&](Communicator& comm) {
    const auto data = rectangles();
    const BatchSource source = small_batches(options, comm);
    Trainer trainer(options, resolve_contrast(options), {at::kCPU, Precision::kFp64}, comm,
                    {data->channels(), source.steps_per_epoch(), {}, data->view_size()});
    const TrainingSchedule schedule(options, source.steps_per_epoch());
    EXPECT_FALSE(trainer.encoders().has_momentum_encoder());
    at::Tensor weights = trainer.bank()->shard().raw.clone().requires_grad_();
    torch::optim::SGD theirs(std::vector{weights}, torch::optim::SGDOptions(options.rows.rate)
                                                       .momentum(options.rows.momentum)
                                                       .weight_decay(options.rows.weight_decay));
    StepTimer timer;
    for (std::int64_t step = 0; step < 9; ++step) {
      const Batch batch = source.build(step / source.steps_per_epoch(), step % source.steps_per_epoch());
      EXPECT_FALSE(batch.view_b.defined());
      at::Tensor queries;
      {
        const at::NoGradGuard no_grad;
        queries = trainer.encoders().query(batch.view_a);
      }
      const at::Tensor rows = is_unit ? weights / weights.norm(2, {1}, true) : weights;
      const at::Tensor logits = queries.mm(rows.t()) / options.tau;
      const at::Tensor loss = at::cross_entropy_loss(logits, batch.ids);
      theirs.zero_grad();
      loss.backward();
      static_cast<torch::optim::SGDOptions&>(theirs.param_groups()[0].options())
          .lr(options.rows.rate * schedule.rate_share(step));
      theirs.step();
      timer.start_step();
      EXPECT_NEAR(trainer.step(batch, timer).loss, loss.item<double>(), 1e-11 * loss.item<double>()) << step;
      EXPECT_TRUE(at::allclose(trainer.bank()->shard().raw, weights, 1e-11, 1e-12)) << "step " << step;
    }
  });
}

TEST(BankSteps, WithAParametricBankTrainTheWeightsOfAClassifier) {
  expect_a_classifier(RowLength::kUnit);
  expect_a_classifier(RowLength::kAsMade);
}

TEST(BankSteps, AStepThatIsSkippedLeavesCachesAsTheyWere) {
  PretrainOptions options = with_memory(small_options("info-nce"));
  options.sampler = "nscaching";
  options.sampler_options = "m=3,n=6,candidates=6";
  run_ranks(2, {}, [&](Communicator& comm) {
    at::set_num_threads(1);
    const auto data = rectangles();
    const BatchSource source = small_batches(options, comm);
    Trainer trainer(options, resolve_contrast(options), {at::kCPU, Precision::kFp32}, comm,
                    {data->channels(), source.steps_per_epoch(), {}, data->view_size()});
    const auto caches = [&] { return trainer.state().tensor("sampler_lists").clone(); };
    StepTimer timer;
    const at::Tensor begun = caches();
    Batch poisoned = source.build(0, 0);
    if (comm.rank() == 1) poisoned.view_a.fill_(std::numeric_limits<float>::quiet_NaN());
    timer.start_step();
    EXPECT_EQ(trainer.step(poisoned, timer).skipped_steps, 1);
    EXPECT_TRUE(at::equal(caches(), begun)) << "rank " << comm.rank();
    timer.start_step();
    trainer.step(source.build(0, 0), timer);
    EXPECT_FALSE(at::equal(caches(), begun)) << "rank " << comm.rank();
  });
}

}  // namespace
}  // namespace negatron::testing

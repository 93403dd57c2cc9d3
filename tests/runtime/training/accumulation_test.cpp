// --accumulate: the batch passes the encoders in parts, and the step is that of the whole batch.

#include <memory>

#include <ATen/Parallel.h>
#include <c10/util/ThreadLocalDebugInfo.h>
#include <gtest/gtest.h>

#include "comm/threads/thread_communicator.h"
#include "runtime/data/batch_source.h"
#include "runtime/training/trainer.h"
#include "tests/runtime/data/temporary_directory.h"
#include "tests/runtime/training/small_training.h"
#include "tests/support/allocation_meter.h"

namespace negatron::testing {
namespace {

struct PartedMethod {
  const char* name;
  const char* objective;
  const char* sampler = "whole-bank";
  const char* sampler_options = "";
  bool symmetric = false;
  bool learn_tau = false;
  OptimizerKind optimizer = OptimizerKind::kSgd;
};

PretrainOptions options_of(const PartedMethod& method) {
  PretrainOptions options = small_options(method.objective);
  options.sampler = method.sampler;
  options.sampler_options = method.sampler_options;
  options.symmetric = method.symmetric;
  options.learn_tau = method.learn_tau;
  options.optimizer.kind = method.optimizer;
  options.learning_rate = 0.5;
  options.predictor_hidden = 24;
  // A batch norm would be over a part.
  options.head_norm = HeadNorm::kNone;
  options.telemetry_every = 2;
  options.telemetry_top = 5;
  return options;
}

/// Weights, buffers and what the optimizer remembers: after one step, the gradient itself.
void expect_same(const FirstSteps& found, const FirstSteps& expected, double tolerance, const std::string& where) {
  ASSERT_EQ(found.losses.size(), expected.losses.size());
  for (std::size_t step = 0; step < expected.losses.size(); ++step) {
    EXPECT_NEAR(found.losses[step], expected.losses[step], tolerance) << where << ", step " << step;
  }
  ASSERT_EQ(found.tensors.size(), expected.tensors.size());
  for (std::size_t i = 0; i < expected.tensors.size(); ++i) {
    const auto& [name, tensor] = expected.tensors[i];
    EXPECT_TRUE(at::allclose(found.tensors[i].second, tensor, tolerance, tolerance)) << where << ", " << name;
  }
}

class Accumulation : public ::testing::TestWithParam<PartedMethod> {};

TEST_P(Accumulation, IsTheStepOfTheWholeBatch) {
  PretrainOptions options = options_of(GetParam());
  const FirstSteps one = first_steps(options, Precision::kFp64, 1, 1);
  // With the batch of 2 samples, of which some ranks have none.
  const FirstSteps six = first_steps(options, Precision::kFp64, 1, 6);
  EXPECT_GT(std::abs(six.losses[0] - six.losses[4]), 1e-4) << "a run in which nothing is learned would agree too";
  for (const int ranks : {1, 2, 3}) {
    // 4 and 5 do not divide every rank's share, and with 12 most parts of a rank are empty.
    for (const std::int64_t parts : {2, 4, 5, 12}) {
      const std::string where = std::to_string(parts) + " parts on " + std::to_string(ranks) + " ranks";
      options.accumulate = parts;
      expect_same(first_steps(options, Precision::kFp64, ranks, 1), one, 1e-12, where);
      if (parts != 4) expect_same(first_steps(options, Precision::kFp64, ranks, 6), six, 1e-10, where);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Methods, Accumulation,
                         ::testing::Values(PartedMethod{.name = "info_nce", .objective = "info-nce", .learn_tau = true},
                                           PartedMethod{.name = "symmetric",
                                                        .objective = "info-nce",
                                                        .sampler = "top-n",
                                                        .sampler_options = "n=20,skip=1",
                                                        .symmetric = true},
                                           PartedMethod{.name = "mochi",
                                                        .objective = "info-nce",
                                                        .sampler = "mochi",
                                                        .sampler_options = "n=16,s=8,s-prime=4,warmup-epochs=0"},
                                           PartedMethod{
                                               .name = "hcl", .objective = "hcl", .optimizer = OptimizerKind::kAdamW},
                                           PartedMethod{.name = "in_batch", .objective = "info-nce-in-batch"},
                                           PartedMethod{.name = "nt_xent", .objective = "nt-xent", .learn_tau = true},
                                           PartedMethod{.name = "byol", .objective = "byol", .symmetric = true}),
                         [](const auto& tested) { return tested.param.name; });

TEST(Accumulation, InBf16DiffersByRoundingAlone) {
  PretrainOptions options = small_options("info-nce");
  options.learning_rate = 0.5;
  const std::vector<double> whole = first_steps(options, Precision::kBf16, 1, 4).losses;
  options.accumulate = 3;
  for (const int ranks : {1, 2}) {
    const std::vector<double> parted = first_steps(options, Precision::kBf16, ranks, 4).losses;
    for (std::size_t step = 0; step < whole.size(); ++step) {
      EXPECT_NEAR(parted[step], whole[step], 1e-2 * whole[step]) << ranks << " ranks, step " << step;
    }
  }
}

// Parts are other batches to a norm, and yet the same ones on any number of ranks.
TEST(Accumulation, BatchNormsAreOverPartsOfAllRanks) {
  PretrainOptions options = small_options("byol");
  options.symmetric = true;
  options.predictor_hidden = 24;
  options.learning_rate = 0.02;
  constexpr int kWholeBatches = 3;
  const FirstSteps whole = first_steps(options, Precision::kFp64, 1, kWholeBatches);
  // No rank but the first begins at a multiple of it.
  options.accumulate = 5;
  const FirstSteps one = first_steps(options, Precision::kFp64, 1, kWholeBatches);
  EXPECT_GT(std::abs(one.losses.back() - whole.losses.back()), 1e-6);
  for (const int ranks : {2, 3}) {
    expect_same(first_steps(options, Precision::kFp64, ranks, kWholeBatches), one, 1e-9,
                std::to_string(ranks) + " ranks");
  }
}

TEST(Accumulation, ARunGoesOnInAnotherNumberOfParts) {
  const TemporaryDirectory folder;
  SmallStart start;
  start.options = small_options("info-nce");
  start.options.learning_rate = 0.5;
  start.options.evaluate_every = 0;
  start.options.knn_k = 5;
  start.options.max_steps = 8;
  start.precision = Precision::kFp64;
  start.run_directory = folder / "whole";
  run(start);
  const auto expected = metrics_lines(start.run_directory, "step");

  start.run_directory = folder / "parted";
  start.options.max_steps = 3;
  run(start);
  start.options.max_steps = 8;
  start.options.accumulate = 4;
  start.ranks = 3;
  start.resume = "auto";
  run(start);
  const auto found = metrics_lines(start.run_directory, "step");
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t step = 0; step < expected.size(); ++step) {
    EXPECT_NEAR(found[step].at("loss").get<double>(), expected[step].at("loss").get<double>(), 1e-10) << step;
  }
}

/// The most bytes that tensors take in a step, beside what they had before it.
std::int64_t bytes_of_a_step(const PretrainOptions& options) {
  std::int64_t most = 0;
  run_ranks(1, CommunicatorOptions{}, [&](Communicator& comm) {
    at::set_num_threads(1);
    const auto data = rectangles();
    BatchOptions batches;
    batches.global_batch = options.global_batch;
    const BatchSource source(data, batches);
    Trainer trainer(options, resolve_contrast(options), {at::kCPU, Precision::kFp32}, comm,
                    {1, source.steps_per_epoch(), {}, data->view_size()});
    StepTimer timer;
    timer.start_step();
    // What the optimizer remembers is made in the first step.
    trainer.step(source.build(0, 0), timer);
    const Batch batch = source.build(0, 0);
    const auto meter = std::make_shared<AllocationMeter>();
    const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, meter);
    timer.start_step();
    trainer.step(batch, timer);
    most = meter->most_held();
  });
  return most;
}

TEST(Accumulation, HoldsTheActivationsOfOnePart) {
  for (const char* objective : {"info-nce", "nt-xent"}) {
    PretrainOptions options = small_options(objective);
    options.encoder.channels = {16, 16, 16, 16};
    options.encoder.strides = {1, 1, 1, 1};
    options.global_batch = 48;
    const auto whole = static_cast<double>(bytes_of_a_step(options));
    options.accumulate = 8;
    EXPECT_LT(static_cast<double>(bytes_of_a_step(options)), 0.25 * whole) << objective;
  }
}

}  // namespace
}  // namespace negatron::testing

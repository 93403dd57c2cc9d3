// Whole runs on the stand-in device, so that no part of a run takes a tensor of a device for one of the host, or mixes
// the two.

#include <gtest/gtest.h>

#include "tests/runtime/data/temporary_directory.h"
#include "tests/runtime/run/device_run.h"
#include "tests/support/stand_in_device.h"

namespace negatron::testing {
namespace {

DeviceRun on_the_stand_in() {
  return {stand_in_device().type(), 2, {}};
}

TEST(OnADevice, EveryObjective) {
  expect_the_same_objectives(on_the_stand_in());
}

TEST(OnADevice, EverySampler) {
  expect_the_same_samplers(on_the_stand_in());
}

TEST(OnADevice, NarrowBanksAndBothViews) {
  PretrainOptions options = watched_options("info-nce");
  options.bank_dtype = at::kBFloat16;
  options.symmetric = true;
  options.shards = 1;
  expect_the_same_run(on_the_stand_in(), options);
}

TEST(OnADevice, ViewsThatAreMadeThere) {
  expect_the_same_with_views_made_there(on_the_stand_in());
}

TEST(OnADevice, ViewsThatAreMadeThereAreTheHostsToRounding) {
  const TemporaryDirectory folder;
  SmallStart start;
  start.options = watched_options("info-nce");
  start.options.sample_types = "";
  start.options.sample_counts = "";
  start.options.augmentation.blur_probability = 0.5;
  start.precision = Precision::kFp64;
  start.run_directory = folder / "host";
  run(start);
  start.options.views_on_device = true;
  start.run_directory = folder / "there";
  run(start);
  const std::vector<double> host = step_losses(folder / "host"), there = step_losses(folder / "there");
  ASSERT_EQ(host.size(), there.size());
  for (std::size_t step = 0; step < host.size(); ++step) EXPECT_NEAR(there[step], host[step], 1e-4) << "step " << step;
  // Other sums are another way to the same views; equal bits would be the same way.
  EXPECT_NE(there, host);
}

TEST(OnADevice, MemoryBanks) {
  PretrainOptions options = with_memory(watched_options("nce"));
  options.objective_options = "log-z=first-batch";
  options.bank_fill = BankFill::kFeatures;
  options.max_key_age = 3;
  for (const std::int64_t shards : {0, 1}) {
    options.shards = shards;
    EXPECT_FALSE(expect_the_same_run(on_the_stand_in(), options).empty());
  }
}

TEST(OnADevice, RawRows) {
  for (const char* objective : {"n-pair", "neg"}) {
    PretrainOptions options = watched_options(objective);
    options.head.length = RowLength::kAsMade;
    options.negatives = NegativeSource::kBank;
    options.bank_dtype = at::kBFloat16;
    options.tau = 1.0;
    EXPECT_FALSE(expect_the_same_run(on_the_stand_in(), options).empty());
    EXPECT_FALSE(expect_the_same_run(on_the_stand_in(), with_index(options)).empty());
  }
}

TEST(OnADevice, LearnedBanks) {
  PretrainOptions options = with_learned(watched_options("info-nce"));
  options.bank_rows = 40;
  options.bank_fill = BankFill::kFeatures;
  options.symmetric = true;
  EXPECT_FALSE(expect_the_same_run(on_the_stand_in(), options).empty());
  options.sampler = "top-n";
  options.sampler_options = "n=9,skip=1";
  options.bank_dtype = at::kBFloat16;
  EXPECT_FALSE(expect_the_same_run(on_the_stand_in(), options).empty());
}

TEST(OnADevice, ParametricBanks) {
  PretrainOptions options = with_parametric(watched_options("info-nce"));
  EXPECT_FALSE(expect_the_same_run(on_the_stand_in(), options).empty());
  options.sampler = "uniform";
  options.sampler_options = "m=9";
  options.bank_dtype = at::kBFloat16;
  options.rows.rate = 0.1;
  for (const RowOptimizerKind kind : {RowOptimizerKind::kAdagrad, RowOptimizerKind::kAdam}) {
    options.rows.kind = kind;
    EXPECT_FALSE(expect_the_same_run(on_the_stand_in(), options).empty());
  }
}

TEST(OnADevice, BatchNormsOfOneRankAndOfTwo) {
  PretrainOptions options = watched_options("info-nce");
  options.encoder.name = "resnet18";
  options.encoder.stem = "cifar";
  options.baselines = false;
  options.max_steps = 2;
  for (const int ranks : {1, 2}) {
    DeviceRun there = on_the_stand_in();
    there.ranks = ranks;
    EXPECT_FALSE(expect_the_same_run(there, options).empty());
  }
}

TEST(OnADevice, GoesOnToTheLastBit) {
  PretrainOptions options = watched_options("info-nce");
  options.sample_types = "";
  options.sample_counts = "";
  options.max_steps = 9;
  expect_the_same_bits_after_a_stop(on_the_stand_in(), options);
}

TEST(OnADevice, GoesOnWhereItStopped) {
  const TemporaryDirectory folder;
  SmallStart start;
  start.options = watched_options("info-nce");
  start.options.sample_types = "";
  start.options.sample_counts = "";
  start.run_directory = folder / "run";
  start.device = stand_in_device().type();
  run(start);
  start.options.max_steps = 9;
  start.resume = "auto";
  EXPECT_EQ(run(start).steps_done, 9);

  SmallStart other = start;
  other.run_directory = folder / "other";
  other.resume = "";
  other.bank = newest_path(start.run_directory);
  EXPECT_EQ(run(other).steps_done, 9);
}

}  // namespace
}  // namespace negatron::testing

// Snapshots that do not fit the run that asks for them: refused, converted, or only the bank taken.

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "runtime/run/resume.h"
#include "samplers/exchange/bank_exchange.h"
#include "tests/runtime/data/temporary_directory.h"
#include "tests/runtime/run/interrupted_training.h"

namespace negatron::testing {
namespace {

class Mismatch : public ::testing::Test {
 protected:
  void SetUp() override {
    start_.options = resumed_options("info-nce");
    start_.options.baselines = false;
    start_.options.evaluate_every = 0;
    start_.run_directory = folder_ / "run";
    run_first_part(start_);
    start_.resume = "auto";
  }
  /// The sentence must have all of these in it.
  void expect_refused(const SmallStart& start, const std::vector<std::string>& needles) {
    try {
      run(start);
      FAIL() << "nothing was refused";
    } catch (const std::exception& error) {
      for (const std::string& needle : needles) {
        EXPECT_NE(std::string(error.what()).find(needle), std::string::npos) << needle << ": " << error.what();
      }
    }
  }

  TemporaryDirectory folder_;
  SmallStart start_;
};

TEST_F(Mismatch, IsRefusedWithBothValuesAndTheFlag) {
  SmallStart other = start_;
  other.options.encoder.channels = {8, 24};
  expect_refused(other, {"[16, 8, 3, 3]", "[24, 8, 3, 3]", "--encoder-channels"});
  other = start_;
  other.options.encoder.name = "resnet18";
  expect_refused(other, {"encoder.backbone.conv1.weight", "[8, 1, 3, 3]", "[64, 1, 7, 7]", "--encoder"});
  other = start_;
  other.options.head.output = 8;
  expect_refused(other, {"width 16", "this run's is 8", "--width"});
  other = start_;
  other.options.head.length = RowLength::kAsMade;
  expect_refused(other, {"row length unit", "this run's is raw", "--head-output"});
  other.options.head.length = RowLength::kDistance;
  expect_refused(other, {"row length unit", "this run's is distance", "--head-output"});
  other = start_;
  other.options.bank_rows = 72;
  expect_refused(other, {"rows 71", "this run's is 72", "--bank-rows"});
  other = start_;
  other.options = with_memory(other.options);
  expect_refused(other, {"kind queue", "this run's is memory", "--bank-kind"});
  other = start_;
  other.options.objective = "hcl";
  expect_refused(other, {"--objective info-nce", "hcl"});
  other = start_;
  other.options.learn_tau = true;
  expect_refused(other, {"'objective.0'", "--learn-tau"});
  other = start_;
  other.precision = Precision::kFp64;
  expect_refused(other, {"fp32", "fp64"});
  other = start_;
  other.options.optimizer.kind = OptimizerKind::kAdamW;
  expect_refused(other, {"'momentum.", "--optimizer"});
  other = start_;
  other.options.bank_dtype = at::kBFloat16;
  expect_refused(other, {"fp32", "bf16", "--bank-dtype", "--convert-bank"});
}

TEST_F(Mismatch, OfTheBanksTypeIsConvertedOnRequest) {
  const Saved saved = newest_saved(start_.run_directory);
  start_.resume = newest_path(start_.run_directory).string();
  start_.options.bank_dtype = at::kBFloat16;
  start_.options.max_steps = kInterrupted;
  start_.convert_bank = true;
  start_.run_directory = folder_ / "converted";
  run(start_);
  const Saved converted = newest_saved(start_.run_directory);
  EXPECT_EQ(converted.keys.vectors.scalar_type(), at::kBFloat16);
  EXPECT_TRUE(at::equal(converted.keys.vectors, saved.keys.vectors.to(at::kBFloat16)));
  EXPECT_TRUE(at::equal(converted.keys.ids, saved.keys.ids));
}

TEST_F(Mismatch, OfEverythingButTheBankDoesNotMatterToARunThatStartsFromABank) {
  const Saved saved = newest_saved(start_.run_directory);
  SmallStart fresh = start_;
  fresh.resume.clear();
  fresh.bank = newest_path(start_.run_directory).string();
  fresh.options.encoder.channels = {8, 24};
  fresh.options.seed = 8;
  fresh.options.max_steps = 1;
  fresh.ranks = 3;
  fresh.run_directory = folder_ / "fresh";
  run(fresh);
  const Saved next = newest_saved(fresh.run_directory);
  const std::int64_t kept = 71 - 12;
  EXPECT_EQ(next.step, 1);
  // The first batch has pushed out the twelve oldest.
  EXPECT_TRUE(at::equal(next.keys.vectors.narrow(0, 0, kept), saved.keys.vectors.narrow(0, 12, kept)));
  EXPECT_TRUE(at::equal(next.keys.ids.narrow(0, 0, kept), saved.keys.ids.narrow(0, 12, kept)));
  EXPECT_TRUE(at::equal(next.keys.steps.narrow(0, 0, kept), at::full({kept}, -1, at::kLong)));
  EXPECT_TRUE(at::equal(next.keys.steps.narrow(0, kept, 12), at::zeros({12}, at::kLong)));
  EXPECT_EQ(metrics_lines(fresh.run_directory, "step").at(0).at("bank_age"), 0.0);
  fresh.options.bank_rows = 72;
  expect_refused(fresh, {"rows 71", "this run's is 72", "--bank-rows"});
}

TrainerState state_after(std::int64_t steps) {
  TrainerState state;
  state.numbers = {{"epoch", std::int64_t{1}},
                   {"batch_in_epoch", std::int64_t{0}},
                   {"steps_per_epoch", std::int64_t{4}},
                   {"global_batch", std::int64_t{8}},
                   {"steps_done", steps},
                   {"hard_set_stretch", 1.0}};
  return state;
}

TEST(SavedRun, CountsThatNoRunHasAreRefused) {
  Manifest manifest;
  manifest.step = 4;
  EXPECT_NO_THROW(check_saved_run(manifest, state_after(4)));
  EXPECT_THROW(check_saved_run(manifest, state_after(5)), SnapshotError);
  EXPECT_THROW(check_saved_run(manifest, state_after(-4)), SnapshotError);
  EXPECT_THROW(check_saved_run(manifest, {}), SnapshotError);
  for (const char* name : {"epoch", "batch_in_epoch", "steps_per_epoch", "global_batch"}) {
    for (const std::int64_t count : {std::int64_t{-1}, std::numeric_limits<std::int64_t>::max()}) {
      TrainerState state = state_after(4);
      state.numbers[name] = count;
      EXPECT_THROW(check_saved_run(manifest, state), SnapshotError) << name << ' ' << count;
    }
  }
  TrainerState state = state_after(4);
  state.tensors.emplace_back("bank_clusters", at::ones({4, 3}));
  EXPECT_THROW(check_saved_run(manifest, state), SnapshotError);
  manifest.banks.emplace_back();
  manifest.banks.front().width = 3;
  EXPECT_NO_THROW(check_saved_run(manifest, state));
}

TEST(SavedRun, AStretchThatNoSearchHasIsRefused) {
  BankExchange exchange;
  EXPECT_NO_THROW(exchange.restore(state_after(4), false, at::kCPU));
  for (const double stretch : {std::nan(""), std::numeric_limits<double>::infinity(), 0.0, -1.0, 0.5}) {
    TrainerState state = state_after(4);
    state.numbers["hard_set_stretch"] = stretch;
    EXPECT_THROW(exchange.restore(state, false, at::kCPU), MissingState) << stretch;
  }
}

}  // namespace
}  // namespace negatron::testing

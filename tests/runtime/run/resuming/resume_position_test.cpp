// Where a run goes on: with batches of another size, behind its end, and with every counter.

#include <gtest/gtest.h>

#include "comm/threads/thread_communicator.h"
#include "runtime/training/trainer.h"
#include "tests/runtime/data/temporary_directory.h"
#include "tests/runtime/run/interrupted_training.h"

namespace negatron::testing {
namespace {

TEST(Resume, WithAnotherBatchGoesOnAtTheSameShareOfTheEpochsAndTheirSchedules) {
  const TemporaryDirectory folder;
  SmallStart start;
  start.options = resumed_options("info-nce");
  start.options.baselines = false;
  // 5 steps an epoch: two epochs and one step.
  start.run_directory = folder / "small";
  run_first_part(start);

  // 3 steps an epoch of 24, 24 and 2 samples; 12 samples of the third epoch are less than one batch.
  start.options.global_batch = 24;
  start.resume = "auto";
  start.ranks = 1;
  EXPECT_EQ(run(start).steps_done, kInterrupted + 2 * 3);
  start.resume.clear();
  start.run_directory = folder / "large";
  EXPECT_EQ(run(start).steps_done, 4 * 3);
  const auto resumed = metrics_lines(folder / "small", "step");
  const auto large = metrics_lines(folder / "large", "step");
  ASSERT_EQ(resumed.size(), 17U);
  for (std::size_t step = 0; step < 6; ++step) {
    EXPECT_EQ(resumed[11 + step].at("step"), 11 + step);
    EXPECT_EQ(resumed[11 + step].at("epoch"), large[6 + step].at("epoch"));
    EXPECT_EQ(resumed[11 + step].at("lr"), large[6 + step].at("lr"));
  }
}

TEST(Resume, AfterTheEndEvaluatesAgainAndWritesNothingTwice) {
  const TemporaryDirectory folder;
  SmallStart start;
  start.options = resumed_options("info-nce");
  start.run_directory = folder / "run";
  const PretrainSummary first = run(start);
  const auto lines = metrics_lines(folder / "run", "evaluation");
  start.resume = "auto";
  const PretrainSummary again = run(start);
  EXPECT_EQ(again.steps_done, 20);
  EXPECT_EQ(again.trained, first.trained);
  EXPECT_EQ(again.raw_pixels, first.raw_pixels);
  EXPECT_EQ(metrics_lines(folder / "run", "evaluation"), lines);
  EXPECT_EQ(metrics_lines(folder / "run", "step").size(), 20U);
  EXPECT_EQ(metrics_lines(folder / "run", "resume").size(), 1U);
}

TEST(Resume, TakesOverEveryCounterOfTheTrainer) {
  run_ranks(1, CommunicatorOptions{}, [](Communicator& comm) {
    const PretrainOptions options = resumed_options("info-nce");
    Trainer trainer(options, resolve_contrast(options), {}, comm, {1, 5, {}});
    TrainerState state = trainer.state();
    state.numbers = {{"steps_done", std::int64_t{7}},
                     {"skipped_steps", std::int64_t{3}},
                     {"skipped_in_a_row", std::int64_t{2}},
                     {"last_look", std::int64_t{4}},
                     {"hard_set_stretch", 1.5}};
    trainer.restore(state, 7);
    EXPECT_EQ(trainer.state().numbers, state.numbers);
  });
}

}  // namespace
}  // namespace negatron::testing

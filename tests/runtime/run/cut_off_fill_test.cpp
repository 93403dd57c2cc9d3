// A bank's first rows, of which a run is told to leave before they are there: the run that goes on makes them.

#include <gtest/gtest.h>

#include "samplers/bank/random_rows.h"
#include "tests/runtime/data/temporary_directory.h"
#include "tests/runtime/run/interrupted_training.h"

namespace negatron::testing {
namespace {

SmallStart filled_start(PretrainOptions options) {
  SmallStart start;
  start.options = std::move(options);
  start.options.bank_fill = BankFill::kFeatures;
  // No more than there are samples, and no multiple of the ranks.
  if (start.options.bank_kind == BankKind::kLearned) start.options.bank_rows = 37;
  start.options.baselines = false;
  start.options.evaluate_every = 0;
  start.options.epochs = 1;
  start.options.snapshots.every = parse_snapshot_interval("100");
  return start;
}

at::Tensor rows_saved_by(const std::filesystem::path& run_directory) {
  return newest_saved(run_directory).keys.vectors.to(at::kDouble);
}

TEST(CutOffFill, LeavesBeforeTheFirstStepAndIsMadeAgain) {
  for (const PretrainOptions& options :
       {with_memory(resumed_options("info-nce")), with_learned(resumed_options("info-nce"))}) {
    const TemporaryDirectory folder;
    SmallStart start = filled_start(options);
    start.run_directory = folder / "whole";
    EXPECT_EQ(run(start).end, RunEnd::kDone);

    start.run_directory = folder / "parts";
    start.signalled_rank = 1;
    const PretrainSummary cut = run(start);
    EXPECT_EQ(cut.end, RunEnd::kRequeue);
    EXPECT_TRUE(cut.saved);
    EXPECT_EQ(cut.steps_done, 0);
    const at::Tensor left = rows_saved_by(start.run_directory);
    const at::Tensor random = random_unit_rows(options.seed, 0, left.size(0), left.size(1)).to(at::kDouble);
    EXPECT_TRUE(at::allclose(left, random, 1e-2, 1e-2)) << "none of the rows, or all of them";

    start.signalled_rank = -1;
    start.resume = "auto";
    std::string said;
    start.said = &said;
    EXPECT_EQ(run(start).end, RunEnd::kDone);
    EXPECT_NE(said.find("the bank begins with what the encoder makes of"), std::string::npos) << said;
    EXPECT_EQ(step_losses(start.run_directory), step_losses(folder / "whole"));
    EXPECT_TRUE(at::equal(rows_saved_by(start.run_directory), rows_saved_by(folder / "whole")));
  }
}

/// Rows that are there are not made again, though no step was done.
TEST(CutOffFill, IsNotMadeAgainBehindTheLastRow) {
  const TemporaryDirectory folder;
  SmallStart start = filled_start(with_memory(resumed_options("info-nce")));
  start.run_directory = folder / "run";
  start.options.max_steps = 1;
  start.options.snapshots.every = parse_snapshot_interval("1");
  run(start);
  start.resume = "auto";
  start.options.max_steps = 2;
  std::string said;
  start.said = &said;
  EXPECT_EQ(run(start).steps_done, 2);
  EXPECT_EQ(said.find("the bank begins"), std::string::npos) << said;
}

}  // namespace
}  // namespace negatron::testing

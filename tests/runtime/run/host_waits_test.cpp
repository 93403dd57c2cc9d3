// How often a step makes the host wait for its device: over NCCL's stand-in, as other transports move host memory.

#include <gtest/gtest.h>

#include "comm/nccl/nccl_communicator.h"
#include "tests/runtime/data/temporary_directory.h"
#include "tests/runtime/training/small_training.h"
#include "tests/support/stand_in_device.h"

namespace negatron::testing {
namespace {

using Waits = std::map<std::string, std::int64_t>;

/// A run with as little beside its steps as there can be.
PretrainOptions steps_alone() {
  PretrainOptions options = small_options("info-nce");
  options.baselines = false;
  options.evaluate_every = 0;
  options.snapshots.every = {RunInterval::Unit::kNever, 1};
  options.epochs = 40;
  return options;
}

/// Of a whole run of so many steps, on one rank.
Waits waits_of_run(PretrainOptions options, std::int64_t steps) {
  const TemporaryDirectory folder;
  SmallStart start;
  options.max_steps = steps;
  start.options = options;
  start.ranks = 1;
  start.run_directory = folder / "run";
  start.device = stand_in_device().type();
  start.communicator = [](Communicator& host) { return make_nccl_communicator(host, host.rank(), host.options()); };
  const Waits before = stand_in_waits();
  run(start);
  Waits waits = stand_in_waits();
  for (const auto& [what, count] : before) waits[what] -= count;
  return waits;
}

/// What some steps more add, in the middle of which an epoch ends.
Waits waits_of_steps(const PretrainOptions& options, std::int64_t steps) {
  // Behind the start, when the bank holds keys of each batch size.
  constexpr std::int64_t kBefore = 25;
  const Waits few = waits_of_run(options, kBefore);
  Waits more = waits_of_run(options, kBefore + steps);
  for (const auto& [what, count] : few) more[what] -= count;
  std::erase_if(more, [](const auto& entry) { return entry.second == 0; });
  return more;
}

constexpr std::int64_t kSteps = 10;

void expect_one_wait_a_step(const PretrainOptions& options, const std::string& what) {
  EXPECT_EQ(waits_of_steps(options, kSteps), (Waits{{"copy to the host", kSteps}})) << what;
}

TEST(HostWaits, OneAStepWhateverItsBankIs) {
  expect_one_wait_a_step(steps_alone(), "as the defaults are");
  PretrainOptions options = steps_alone();
  options.bank_dtype = at::kBFloat16;
  options.symmetric = true;
  expect_one_wait_a_step(options, "narrow and symmetric");
  options = steps_alone();
  options.mask_own_sample = false;
  options.bank_fill = BankFill::kEmpty;
  options.optimizer.clip_norm = 1.0;
  expect_one_wait_a_step(options, "filled from nothing, with cut gradients");
}

TEST(HostWaits, ALearnedTemperatureIsReadBesides) {
  PretrainOptions options = steps_alone();
  options.learn_tau = true;
  // As the scale of the terms, by the objective, and for the metrics.
  EXPECT_EQ(waits_of_steps(options, kSteps), (Waits{{"copy to the host", kSteps}, {"number", 3 * kSteps}}));
}

TEST(HostWaits, OneAStepWithBatchNormsAndWithoutABank) {
  PretrainOptions options = steps_alone();
  options.objective = "nt-xent";
  expect_one_wait_a_step(options, "in batch");
  options = steps_alone();
  options.objective = "byol";
  expect_one_wait_a_step(options, "byol");
  options = steps_alone();
  options.head_norm = HeadNorm::kBatch;
  expect_one_wait_a_step(options, "batch norm in the head");
}

}  // namespace
}  // namespace negatron::testing

// A run that goes on from its snapshot on another number of ranks.

#include <gtest/gtest.h>

#include "tests/runtime/data/temporary_directory.h"
#include "tests/runtime/run/interrupted_training.h"
#include "tests/runtime/run/resuming/bit_equal.h"

namespace negatron::testing {
namespace {

std::vector<double> losses_from(const std::filesystem::path& run_directory, std::int64_t first_step) {
  std::vector<double> losses;
  for (const auto& line : metrics_lines(run_directory, "step")) {
    if (line.at("step") >= first_step) losses.push_back(line.at("loss"));
  }
  return losses;
}

struct Ranks {
  int ranks;
  std::int64_t shards;
  BankKind bank = BankKind::kQueue;
  RowLength length = RowLength::kUnit;
};

class ResumedElsewhere : public ::testing::TestWithParam<Ranks> {};

TEST_P(ResumedElsewhere, HasTheSameBankAndTheSameLossesToRounding) {
  const TemporaryDirectory folder;
  SmallStart start;
  start.options = resumed_options("info-nce");
  start.options = with_rows_of(GetParam().bank, start.options);
  start.options.sampler = "mochi";
  start.options.sampler_options = "n=16,s=8,s-prime=4,warmup-epochs=0,adapt=proxy";
  if (GetParam().length == RowLength::kDistance) {
    start.options.head.length = RowLength::kDistance;
    start.options.tau = 0.1;
    start.options.learning_rate = 0.1;
    start.options.sampler = "top-n";
    start.options.sampler_options = "n=16";
  }
  start.options.evaluate_every = 0;
  start.options.baselines = false;
  start.precision = Precision::kFp64;
  start.ranks = 4;
  start.run_directory = folder / "whole";
  run(start);
  start.run_directory = folder / "parts";
  run_first_part(start);
  const std::filesystem::path snapshot = newest_path(folder / "parts");
  const Saved saved = newest_saved(folder / "parts");

  start.ranks = GetParam().ranks;
  start.options.shards = GetParam().shards;
  start.resume = snapshot.string();
  // Without a step, into a directory of its own: what is saved at once is what was restored.
  start.options.max_steps = kInterrupted;
  start.run_directory = folder / "restored";
  run(start);
  const Saved restored = newest_saved(folder / "restored");
  EXPECT_EQ(restored.world_size, start.ranks);
  expect_bit_equal(restored, saved);

  start.options.max_steps = 0;
  start.run_directory = folder / "resumed";
  run(start);
  const std::vector<double> expected = losses_from(folder / "whole", kInterrupted);
  const std::vector<double> found = losses_from(folder / "resumed", 0);
  ASSERT_EQ(found.size(), 9U);
  ASSERT_EQ(expected.size(), 9U);
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-9 * expected[i]) << i;
}

INSTANTIATE_TEST_SUITE_P(Places, ResumedElsewhere,
                         ::testing::Values(Ranks{1, 0}, Ranks{3, 0}, Ranks{5, 0}, Ranks{4, 2},
                                           Ranks{3, 0, BankKind::kMemory}, Ranks{4, 2, BankKind::kMemory},
                                           Ranks{3, 0, BankKind::kLearned}, Ranks{1, 0, BankKind::kLearned},
                                           Ranks{3, 0, BankKind::kIndex}, Ranks{3, 0, BankKind::kParametric},
                                           Ranks{3, 0, BankKind::kQueue, RowLength::kDistance},
                                           Ranks{1, 0, BankKind::kMemory, RowLength::kDistance},
                                           Ranks{3, 0, BankKind::kLearned, RowLength::kDistance},
                                           Ranks{2, 0, BankKind::kParametric, RowLength::kDistance}),
                         [](const auto& tested) {
                           return "On" + std::to_string(tested.param.ranks) + "Shards" +
                                  std::to_string(tested.param.shards) + kind_text(tested.param.bank) +
                                  name_of(tested.param.length);
                         });

}  // namespace
}  // namespace negatron::testing

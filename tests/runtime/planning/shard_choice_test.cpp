#include "runtime/planning/shard_choice.h"

#include <gtest/gtest.h>

#include "runtime/planning/machine_presets.h"
#include "runtime/planning/step_prediction.h"

namespace negatron {
namespace {

constexpr double kEnough = 1e12;

/// Nothing costs anything to move: only memory and the number of queries decide.
Machine plain_machine() {
  Machine machine;
  machine.pass_flops = 400e12;
  machine.read_bytes_per_second = 2e12;  // 100 queries at two bytes an element
  machine.network.levels = {NetworkLevel{}};
  return machine;
}

PlannedJob job_of(std::int64_t ranks, std::int64_t queries_per_rank) {
  PlannedJob job;
  job.ranks = ranks;
  job.global_batch = ranks * queries_per_rank;
  job.bank_rows = std::int64_t{1} << 24;
  return job;
}

TEST(ChooseShards, OneWhereItFitsAndQueriesAreMany) {
  EXPECT_EQ(choose_shards(plain_machine(), job_of(64, 100), kEnough), 1);
}

TEST(ChooseShards, AsManyRanksAsMakeQueriesEnough) {
  EXPECT_EQ(choose_shards(plain_machine(), job_of(64, 99), kEnough), 2);
  EXPECT_EQ(choose_shards(plain_machine(), job_of(64, 13), kEnough), 8);
  // 100 / 13 ranks are 7.7; of 60 ranks 10 is the next divisor.
  EXPECT_EQ(choose_shards(plain_machine(), job_of(60, 12), kEnough), 10);
}

TEST(ChooseShards, FewQueriesWillDoWhereTheEncoderTakesLong) {
  PlannedJob job = job_of(64, 13);
  const double read = predict_stage(plain_machine(), job).read;
  job.sample_seconds = 1.01 * read / kAcceptableShare / 13.0;
  EXPECT_EQ(choose_shards(plain_machine(), job, kEnough), 1);
  job.sample_seconds = 0.99 * read / kAcceptableShare / 13.0;
  EXPECT_EQ(choose_shards(plain_machine(), job, kEnough), 2) << "half the shard is read in half the time";
}

TEST(ChooseShards, MemoryDecidesFirst) {
  PlannedJob job = job_of(64, 256);
  PlannedJob quarter = job;
  quarter.shards = 4;
  const auto bytes = static_cast<double>(shard_memory(quarter, 0).on_device());
  EXPECT_EQ(choose_shards(plain_machine(), job, bytes), 4);
  EXPECT_EQ(choose_shards(plain_machine(), job, bytes - 1.0), 8);
  EXPECT_EQ(choose_shards(plain_machine(), job, 1e6), 0) << "it fits on no number of ranks";
}

TEST(ChooseShards, CopiesThatCostTooMuchToFeedAreFewer) {
  Machine machine = plain_machine();
  Link& messages = machine.network.levels.front().links[static_cast<std::size_t>(Collective::kAllToAll)];
  PlannedJob job = job_of(64, 100);
  EXPECT_EQ(choose_shards(machine, job, kEnough), 1);
  // Keys go to 64 / S copies, partials to S - 1 ranks: of 63 messages of one exchange and none of the other to few of
  // both.
  messages.step_seconds = predict_step(machine, job).seconds();
  const std::int64_t chosen = choose_shards(machine, job, kEnough);
  EXPECT_GT(chosen, 1);
  EXPECT_LT(chosen, 64);
}

TEST(ChooseShards, AShortStepWhereNothingReadsWell) {
  const Machine machine = machine_preset("h200").machine;
  const PlannedJob job = job_of(32, 1);
  ASSERT_LT(32.0, machine.crossover_queries(2.0)) << "all ranks together have enough queries";
  const std::int64_t chosen = choose_shards(machine, job, kEnough);
  PlannedJob with = job;
  with.shards = chosen;
  for (const std::int64_t shards : {1, 2, 4, 8, 16, 32}) {
    PlannedJob other = job;
    other.shards = shards;
    EXPECT_LE(predict_step(machine, with).seconds(), (1.0 + kAcceptableShare) * predict_step(machine, other).seconds())
        << "S = " << shards;
  }
}

}  // namespace
}  // namespace negatron

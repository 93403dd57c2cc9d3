#include "runtime/planning/step_prediction.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "runtime/planning/machine_presets.h"
#include "samplers/bank/bank.h"

namespace negatron {
namespace {

PlannedJob job_of_paper() {
  PlannedJob job;
  job.ranks = 8;
  job.shards = 8;
  job.global_batch = 4096;
  job.bank_rows = 8 * 65536;
  job.sample_seconds = 1.0 / 2000.0;
  job.gradient_bytes = 100e6;
  return job;
}

TEST(PredictStage, MatchesTheFloorsOfOneGpu) {
  // runtime/planning/COST_MODEL.md 1: at 790 TFLOP/s, B = 4096, K/P = 65,536, d = 128 the pass takes 0.174 ms,
  // reading 3.9 us.
  Machine machine = machine_preset("h200").machine;
  machine.pass_flops = 790e12;
  const StagePrediction stage = predict_stage(machine, job_of_paper());
  EXPECT_NEAR(stage.multiply, 0.174e-3, 0.001e-3);
  EXPECT_NEAR(stage.read, 3.9e-6, 0.05e-6);
  EXPECT_NEAR(machine.crossover_queries(2.0), 92.0, 1.0);
  EXPECT_EQ(stage.select, 0.0);
  EXPECT_DOUBLE_EQ(stage.seconds(), stage.multiply + stage.exchange.seconds());
}

TEST(PredictStage, ShardsChangeWhatIsReadAndMovedNotWhatIsMultiplied) {
  const Machine machine = machine_preset("h200").machine;
  PlannedJob job = job_of_paper();
  const StagePrediction sharded = predict_stage(machine, job);
  job.shards = 1;
  const StagePrediction replicated = predict_stage(machine, job);
  EXPECT_DOUBLE_EQ(replicated.multiply, sharded.multiply);
  EXPECT_DOUBLE_EQ(replicated.read, 8.0 * sharded.read);
  EXPECT_EQ(replicated.exchange.seconds(), 0.0);
  EXPECT_GT(sharded.exchange.latency, 0.0);
}

TEST(PredictStage, ASmallBatchIsBoundByReading) {
  PlannedJob job = job_of_paper();
  job.ranks = job.shards = 1;
  job.global_batch = 8;
  const StagePrediction stage = predict_stage(machine_preset("h200").machine, job);
  EXPECT_GT(stage.read, stage.multiply);
  EXPECT_DOUBLE_EQ(stage.compute(), stage.read);
}

TEST(PredictStage, HardestRowsCostSelectionAndLists) {
  const Machine machine = machine_preset("h200").machine;
  PlannedJob job = job_of_paper();
  const StagePrediction without = predict_stage(machine, job);
  job.hard = 1024;
  const StagePrediction with = predict_stage(machine, job);
  EXPECT_GT(with.select, 0.0);
  EXPECT_GT(with.exchange.bandwidth, without.exchange.bandwidth);
  EXPECT_GT(with.exchange.latency, without.exchange.latency);
}

TEST(PredictStep, GradientsHideBehindBackwardButForTheLastBucket) {
  const Machine machine = machine_preset("h200").machine;
  PlannedJob job = job_of_paper();
  const StepPrediction long_step = predict_step(machine, job);
  EXPECT_LT(long_step.gradients_exposed, 0.1 * long_step.gradients.seconds());
  EXPECT_GT(long_step.gradients_exposed, 0.0);
  job.sample_seconds = 0.0;
  const StepPrediction only_gradients = predict_step(machine, job);
  EXPECT_DOUBLE_EQ(only_gradients.gradients_exposed, only_gradients.gradients.seconds());
  EXPECT_DOUBLE_EQ(long_step.seconds(), long_step.encoder + long_step.bank.seconds() + long_step.enqueue.seconds() +
                                            long_step.gradients_exposed);
}

TEST(ShardMemory, IsThatOfTheBank) {
  for (const std::int64_t shards : {1, 2, 3, 4}) {
    for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
      PlannedJob job;
      job.ranks = job.shards = shards;
      job.global_batch = 26;
      job.bank_rows = 1000;  // no multiple of the batch: the grid has holes
      job.width = 16;
      job.bank_dtype = dtype;
      for (std::int64_t rank = 0; rank < shards; ++rank) {
        const Bank bank({job.bank_rows, job.width, dtype, at::kCPU, BankFill::kEmpty, 0, job.global_batch},
                        static_cast<int>(rank), static_cast<int>(shards));
        const BankShard& shard = bank.shard();
        const ShardMemory memory = shard_memory(job, rank);
        EXPECT_EQ(memory.vectors, static_cast<std::int64_t>(shard.rows.vectors.nbytes()));
        EXPECT_EQ(memory.numbers, static_cast<std::int64_t>(shard.rows.slots.nbytes() + shard.rows.labels.nbytes() +
                                                            shard.rows.validity.nbytes()));
        EXPECT_EQ(memory.host, static_cast<std::int64_t>(shard.ids.nbytes() + shard.steps.nbytes()));
      }
    }
  }
}

TEST(ShardMemory, OfRowsThatStayIsThatOfTheBank) {
  using Kind = std::pair<BankKind, RowOptimizerKind>;
  for (const std::int64_t shards : {1, 3}) {
    for (const auto& [kind, optimizer] :
         {Kind{BankKind::kMemory, RowOptimizerKind::kSgd}, Kind{BankKind::kLearned, RowOptimizerKind::kSgd},
          Kind{BankKind::kLearned, RowOptimizerKind::kAdam}, Kind{BankKind::kParametric, RowOptimizerKind::kSgd},
          Kind{BankKind::kParametric, RowOptimizerKind::kAdagrad}, Kind{BankKind::kParametric, RowOptimizerKind::kAdam},
          Kind{BankKind::kIndex, RowOptimizerKind::kSgd}}) {
      for (const at::ScalarType dtype : {at::kDouble, at::kBFloat16}) {
        PlannedJob job;
        job.ranks = job.shards = shards;
        job.global_batch = 26;
        job.bank_rows = 1000;
        job.width = 16;
        job.bank_dtype = dtype;
        job.bank_kind = kind;
        job.row_optimizer = optimizer;
        for (std::int64_t rank = 0; rank < shards; ++rank) {
          const Bank bank({job.bank_rows, job.width, dtype, at::kCPU, BankFill::kRandom, 0, job.bank_rows, kind,
                           RowLength::kUnit, optimizer},
                          static_cast<int>(rank), static_cast<int>(shards));
          const BankShard& shard = bank.shard();
          const ShardMemory memory = shard_memory(job, rank);
          EXPECT_EQ(memory.vectors, static_cast<std::int64_t>(shard.rows.vectors.nbytes()));
          const std::size_t learning = shard.raw.defined() ? shard.raw.nbytes() + shard.moments.nbytes() : 0;
          EXPECT_EQ(memory.learning, static_cast<std::int64_t>(learning));
          EXPECT_EQ(memory.learning > 0, rows_learn(kind));
          EXPECT_EQ(memory.anew, kind == BankKind::kIndex ? memory.vectors : 0);
          EXPECT_EQ(memory.host, static_cast<std::int64_t>(shard.ids.nbytes() + shard.steps.nbytes()));
        }
      }
    }
  }
}

TEST(PredictStep, RowsThatLearnTakeProductsAndTheirOwnStep) {
  const Machine machine = machine_preset("h200").machine;
  PlannedJob job = job_of_paper();
  EXPECT_EQ(predict_step(machine, job).learn, 0.0);
  job.bank_kind = BankKind::kLearned;
  const StepPrediction step = predict_step(machine, job);
  // 65,536 rows of 128 on each GPU: the products of the pass once more, and 16 + 2 bytes of each number.
  const double start = machine.pass_start_seconds;
  EXPECT_NEAR(step.learn, step.bank.multiply - start + 65536.0 * 128 * 18 / machine.read_bytes_per_second, 1e-12);
  EXPECT_GT(step.seconds(), step.encoder + step.learn + step.bank.seconds());
  // Of a parametric bank as much; Adam has two means and a count in the place of the velocity.
  job.bank_kind = BankKind::kParametric;
  EXPECT_DOUBLE_EQ(predict_step(machine, job).learn, step.learn);
  job.row_optimizer = RowOptimizerKind::kAdam;
  EXPECT_NEAR(predict_step(machine, job).learn - step.learn, 65536.0 * 129 * 8 / machine.read_bytes_per_second, 1e-12);
}

TEST(PredictStep, RowsOfAMemoryBankTravel) {
  const Machine machine = machine_preset("h200").machine;
  PlannedJob job = job_of_paper();
  EXPECT_EQ(predict_step(machine, job).enqueue.seconds(), 0.0);
  job.bank_kind = BankKind::kMemory;
  const double memory = predict_step(machine, job).enqueue.seconds();
  EXPECT_GT(memory, 0.0);
  // No labels go to rows of a parametric bank.
  job.bank_kind = BankKind::kParametric;
  const double parametric = predict_step(machine, job).enqueue.seconds();
  EXPECT_GT(parametric, 0.0);
  EXPECT_LT(parametric, memory);
}

TEST(PredictRefresh, IsAForwardPassOverTheSamplesOfAShard) {
  PlannedJob job = job_of_paper();
  EXPECT_EQ(predict_refresh(job), 0.0);
  job.bank_kind = BankKind::kIndex;
  EXPECT_DOUBLE_EQ(predict_refresh(job), 65536 / 2000.0 / 4.0);
  // With copies of the index each is made whole.
  job.shards = 2;
  EXPECT_DOUBLE_EQ(predict_refresh(job), 4 * 65536 / 2000.0 / 4.0);
}

TEST(CheckJob, RefusesByFlag) {
  const auto refusal = [](const PlannedJob& job) -> std::string {
    try {
      check(job);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "";
  };
  PlannedJob job = job_of_paper();
  EXPECT_EQ(refusal(job), "");
  job.shards = 3;
  EXPECT_NE(refusal(job).find("--shards 3 must divide"), std::string::npos);
  job = job_of_paper();
  job.ranks = job.shards = 5000;
  EXPECT_NE(refusal(job).find("each rank needs one"), std::string::npos);
  job = job_of_paper();
  job.bank_rows = 4095;
  EXPECT_NE(refusal(job).find("--bank-rows 4095 is smaller"), std::string::npos);
  job.bank_kind = BankKind::kMemory;
  EXPECT_EQ(refusal(job), "");
  job = job_of_paper();
  job.bank_kind = BankKind::kLearned;
  job.shards = 4;
  EXPECT_NE(refusal(job).find("--bank-kind learned has one copy"), std::string::npos);
  job.bank_kind = BankKind::kParametric;
  EXPECT_NE(refusal(job).find("--bank-kind parametric has one copy"), std::string::npos);
  job = job_of_paper();
  job.hard = -1;
  EXPECT_NE(refusal(job).find("--hard"), std::string::npos);
  job = job_of_paper();
  job.bank_rows = std::int64_t{1} << 32;
  EXPECT_NE(refusal(job).find("2^32"), std::string::npos);
}

}  // namespace
}  // namespace negatron

#include "runtime/planning/step_prediction.h"

#include <algorithm>

#include "comm/share.h"
#include "runtime/planning/exchange_calls.h"
#include "samplers/bank/bank_layout.h"
#include "samplers/exchange/ranking/hard_set.h"

namespace negatron {
namespace {

/// Of a contrastive step's work in the encoders: the query's forward pass is one part, its backward pass two, the key's
/// forward pass one (COST_MODEL.md 4). A memory bank has no keys.
constexpr double kForwardShare = 0.25;
constexpr double kBackwardShare = 0.5;
constexpr double kBackwardShareWithoutKeys = 2.0 / 3.0;
/// Raw row and velocity, each read and written.
constexpr double kLearnedTouches = 4.0;

CollectiveTime time_of(const Network& network, const std::vector<PlannedCall>& calls) {
  CollectiveTime sum;
  for (const PlannedCall& call : calls) {
    sum = sum + collective_time(network, call.collective, call.ranks, static_cast<double>(call.received));
  }
  return sum;
}

/// As BankShard has raw rows and velocities: fp32, or fp64 beside rows in fp64.
std::int64_t learned_bytes_of(const PlannedJob& job) {
  return job.bank_dtype == at::kDouble ? sizeof(double) : sizeof(float);
}

// Products as in a pass: scores again, and of each row the queries by what they weigh (COST_MODEL.md 8).
double predict_learning(const Machine& machine, const PlannedJob& job) {
  if (!job.has_kind(BankKind::kLearned)) return 0.0;
  const auto queries = static_cast<double>(group_queries(job, 0));
  const double numbers =
      static_cast<double>(job.bank_rows) / static_cast<double>(job.shards) * static_cast<double>(job.width);
  const double touched = kLearnedTouches * static_cast<double>(learned_bytes_of(job)) +
                         static_cast<double>(at::elementSize(job.bank_dtype));
  return kFlopsPerScoreAndColumn * queries * numbers / machine.pass_flops +
         numbers * touched / machine.read_bytes_per_second;
}

}  // namespace

// Example: a global batch of 256 over P = S = 8 ranks, K = 65,536 and d = 128. All 256 queries meet the 8,192 rows of
// each shard: 2,097,152 scores of 4 * 128 FLOP, which are 1.07 GFLOP, or 1.07 ms at 1 TFLOP/s.
StagePrediction predict_stage(const Machine& machine, const PlannedJob& job) {
  check(job);
  const auto queries = static_cast<double>(group_queries(job, 0));
  const double rows = static_cast<double>(job.bank_rows) / static_cast<double>(job.shards);
  const double scores = queries * rows;
  const bool further_round = job.hard > 0 && expects_further_round(job);

  StagePrediction stage;
  stage.multiply = machine.pass_start_seconds +
                   kFlopsPerScoreAndColumn * scores * static_cast<double>(job.width) / machine.pass_flops;
  stage.read = rows * job.row_bytes() / machine.read_bytes_per_second;
  if (job.hard > 0) stage.select = machine.select_start_seconds + scores * machine.select_seconds_per_score;
  if (further_round) stage.select += HardSetSearch::kFallbackRate * scores * machine.select_seconds_per_score;
  stage.rest = machine.rest_seconds;
  stage.exchange = time_of(machine.network, exchange_calls(job, 0, further_round));
  return stage;
}

StepPrediction predict_step(const Machine& machine, const PlannedJob& job) {
  StepPrediction step;
  step.bank = predict_stage(machine, job);
  const std::int64_t own = share(job.global_batch, static_cast<int>(job.ranks), 0).size();
  step.encoder = static_cast<double>(own) * job.sample_seconds;
  step.enqueue = time_of(machine.network, enqueue_calls(job, 0)) + time_of(machine.network, sample_row_calls(job, 0));
  step.learn = predict_learning(machine, job);
  const std::vector<PlannedCall> gradients = gradient_calls(job, 0);
  step.gradients = time_of(machine.network, gradients);
  if (!gradients.empty()) {
    const double last = time_of(machine.network, {gradients.back()}).seconds();
    // The last bucket is complete only when backward is over, so at least its time shows however long backward is.
    const double backward = job.has_kind(BankKind::kMemory) ? kBackwardShareWithoutKeys : kBackwardShare;
    step.gradients_exposed = std::max(last, step.gradients.seconds() - backward * step.encoder);
  }
  return step;
}

// Each rank encodes the samples whose rows it owns, forward only.
double predict_refresh(const PlannedJob& job) {
  check(job);
  if (!job.has_kind(BankKind::kIndex)) return 0.0;
  const std::int64_t rows = share(job.bank_rows, static_cast<int>(job.shards), 0).size();
  return kForwardShare * job.sample_seconds * static_cast<double>(rows);
}

ShardMemory shard_memory(const PlannedJob& job, std::int64_t rank) {
  check(job);
  // Rows that stay lie in one batch of all K.
  const BankLayout layout(job.bank_rows, static_cast<int>(job.shards),
                          rows_stay(job.bank_kind) ? job.bank_rows : job.global_batch);
  const std::int64_t rows = layout.local_rows(static_cast<int>(rank % job.shards));
  constexpr std::int64_t kNumber = sizeof(std::int64_t);
  constexpr std::int64_t kValidity = sizeof(float);
  ShardMemory memory{rows * job.width * static_cast<std::int64_t>(at::elementSize(job.bank_dtype)),
                     rows * (2 * kNumber + kValidity), rows * 2 * kNumber};
  if (job.has_kind(BankKind::kLearned)) memory.learning = 2 * rows * job.width * learned_bytes_of(job);
  if (job.has_kind(BankKind::kIndex)) memory.anew = memory.vectors;
  return memory;
}

}  // namespace negatron

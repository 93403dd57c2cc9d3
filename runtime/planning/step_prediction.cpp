#include "runtime/planning/step_prediction.h"

#include <algorithm>

#include "comm/share.h"
#include "runtime/planning/exchange_calls.h"
#include "samplers/bank/bank_layout.h"
#include "samplers/exchange/ranking/hard_set.h"

namespace negatron {
namespace {

/// Of a contrastive step's work in the encoders: the query's forward pass is one part, its backward pass two, the key's
/// forward pass one (COST_MODEL.md 4). Where rows are positives there are no keys.
constexpr double kForwardShare = 0.25;
constexpr double kBackwardShare = 0.5;
constexpr double kBackwardShareWithoutKeys = 2.0 / 3.0;
/// A step reads and writes what it changes.
constexpr double kTouches = 2.0;

CollectiveTime time_of(const Network& network, const std::vector<PlannedCall>& calls) {
  CollectiveTime sum;
  for (const PlannedCall& call : calls) {
    sum = sum + collective_time(network, call.collective, call.ranks, static_cast<double>(call.received));
  }
  return sum;
}

/// Raw rows and moments of one row as BankShard has them: in fp32, or in fp64 beside rows in fp64.
std::int64_t learned_row_bytes(const PlannedJob& job) {
  const std::int64_t number = job.bank_dtype == at::kDouble ? sizeof(double) : sizeof(float);
  return (job.width + moments_width(job.row_optimizer, job.width)) * number;
}

// Products as in a pass: scores again, and of each row the queries by what they weigh (COST_MODEL.md 8).
double predict_learning(const Machine& machine, const PlannedJob& job) {
  if (!rows_learn(job.bank_kind)) return 0.0;
  const auto queries = static_cast<double>(group_queries(job, 0));
  const double rows = static_cast<double>(job.bank_rows) / static_cast<double>(job.shards);
  const double touched = kTouches * static_cast<double>(learned_row_bytes(job)) + job.row_bytes();
  return kFlopsPerScoreAndColumn * queries * rows * static_cast<double>(job.width) / machine.pass_flops +
         rows * touched / machine.read_bytes_per_second;
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
    const double backward = rows_are_positives(job.bank_kind) ? kBackwardShareWithoutKeys : kBackwardShare;
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
  if (rows_learn(job.bank_kind)) memory.learning = rows * learned_row_bytes(job);
  if (job.has_kind(BankKind::kIndex)) memory.anew = memory.vectors;
  return memory;
}

}  // namespace negatron

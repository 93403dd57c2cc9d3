#include "runtime/planning/shard_choice.h"

#include <limits>

#include "runtime/planning/exchange_calls.h"
#include "runtime/planning/step_prediction.h"

namespace negatron {
namespace {

bool is_fine(const Machine& machine, const PlannedJob& job, const StepPrediction& step) {
  const double acceptable = kAcceptableShare * step.encoder;
  const auto queries = static_cast<double>(group_queries(job, 0));
  const bool busy = queries >= machine.crossover_queries(static_cast<double>(at::elementSize(job.bank_dtype)));
  return (busy || step.bank.read <= acceptable) && step.enqueue.seconds() <= acceptable;
}

}  // namespace

std::int64_t choose_shards(const Machine& machine, PlannedJob job, double memory_bytes) {
  std::int64_t best = 0;
  double best_seconds = std::numeric_limits<double>::infinity();
  for (job.shards = 1; job.shards <= job.ranks; ++job.shards) {
    if (job.ranks % job.shards != 0) continue;
    if (static_cast<double>(shard_memory(job, 0).on_device()) > memory_bytes) continue;
    const StepPrediction step = predict_step(machine, job);
    if (is_fine(machine, job, step)) return job.shards;
    if (step.seconds() >= best_seconds) continue;
    best = job.shards;
    best_seconds = step.seconds();
  }
  return best;
}

}  // namespace negatron

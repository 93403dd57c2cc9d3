#include "runtime/planning/shard_choice.h"

#include <algorithm>
#include <vector>

#include "runtime/planning/exchange_calls.h"
#include "runtime/planning/step_prediction.h"

namespace negatron {
namespace {

struct Option {
  std::int64_t shards = 0;
  double seconds = 0.0;
  bool reads_well = false;
};

Option option_of(const Machine& machine, const PlannedJob& job) {
  const StepPrediction step = predict_step(machine, job);
  const auto queries = static_cast<double>(group_queries(job, 0));
  const bool busy = queries >= machine.crossover_queries(static_cast<double>(at::elementSize(job.bank_dtype)));
  return {job.shards, step.seconds(), busy || step.bank.read <= kAcceptableShare * step.encoder};
}

}  // namespace

std::int64_t choose_shards(const Machine& machine, PlannedJob job, double memory_bytes) {
  std::vector<Option> options;
  for (job.shards = 1; job.shards <= job.ranks; ++job.shards) {
    if (job.ranks % job.shards != 0) continue;
    // Rows that learn have one copy.
    if (rows_learn(job.bank_kind) && job.shards != job.ranks) continue;
    if (static_cast<double>(shard_memory(job, 0).on_device()) > memory_bytes) continue;
    options.push_back(option_of(machine, job));
  }
  const auto reads_badly = [](const Option& option) { return !option.reads_well; };
  if (!std::all_of(options.begin(), options.end(), reads_badly)) std::erase_if(options, reads_badly);
  if (options.empty()) return 0;
  const auto shortest = std::min_element(options.begin(), options.end(), [](const Option& left, const Option& right) {
    return left.seconds < right.seconds;
  });
  // Options are in rising order of shards, so the first that is short enough is the smallest.
  const double longest = (1.0 + kAcceptableShare) * shortest->seconds;
  return std::find_if(options.begin(), options.end(), [&](const Option& option) { return option.seconds <= longest; })
      ->shards;
}

}  // namespace negatron

#pragma once

#include <cstdint>

#include "runtime/planning/machine.h"
#include "runtime/planning/planned_job.h"

namespace negatron {

/// What takes no more of the encoder's time does not matter.
inline constexpr double kAcceptableShare = 0.01;

/// S of `job` (whose own `shards` does not matter): the smallest divisor of P with which
/// - a shard takes at most `memory_bytes` of a rank,
/// - at least Machine::crossover_queries() meet each shard, or reading it is within kAcceptableShare (performance.md
/// 3),
/// - bringing keys to all copies is within kAcceptableShare, because the step waits for it.
/// Where memory allows some divisor but none does the rest, the one with the shortest step. Throws
/// std::invalid_argument with one sentence when not even S = P fits. Local.
std::int64_t choose_shards(const Machine& machine, PlannedJob job, double memory_bytes);

}  // namespace negatron

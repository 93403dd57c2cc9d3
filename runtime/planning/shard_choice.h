#pragma once

#include <cstdint>

#include "runtime/planning/machine.h"
#include "runtime/planning/planned_job.h"

namespace negatron {

/// What takes no more of a step does not matter.
inline constexpr double kAcceptableShare = 0.01;

/// S of `job` (whose own `shards` does not matter). Of the divisors of P with which a shard takes at most
/// `memory_bytes` of a rank, those count with which at least Machine::crossover_queries() meet each shard, or reading
/// it is within kAcceptableShare of the encoder's time (COST_MODEL.md 5); all where there is none. Of these the
/// smallest whose step is within kAcceptableShare of the shortest: many copies cost each step the keys that go to all
/// of them. 0 when not even S = P fits. Local.
std::int64_t choose_shards(const Machine& machine, PlannedJob job, double memory_bytes);

}  // namespace negatron

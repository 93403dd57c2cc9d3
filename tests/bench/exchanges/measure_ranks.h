#pragma once

#include <cstdint>
#include <functional>

#include <benchmark/benchmark.h>

#include "comm/communicator.h"

namespace negatron::bench {

/// Registers over 1, 2, 3 and 4 ranks.
void over_ranks(benchmark::internal::Benchmark* exchange);

/// What one rank does in an iteration, collectively.
using Exchange = std::function<void()>;

/// Times exchanges between ranks that are threads of one compute thread each, from when all have begun until all are
/// done. `make` is called once on each rank and returns what that rank repeats. Reports the counter "received", the
/// bytes that rank 0 received in an iteration.
void measure_ranks(benchmark::State& state, const std::function<Exchange(Communicator&)>& make);

}  // namespace negatron::bench

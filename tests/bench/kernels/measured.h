#pragma once

#include <chrono>

#include <benchmark/benchmark.h>

namespace negatron::bench {

/// Runs `work` once, then as often as is measured; returns the seconds of the latter.
template <class Work>
double measured(benchmark::State& state, const Work& work) {
  benchmark::DoNotOptimize(work());
  const auto begin = std::chrono::steady_clock::now();
  for ([[maybe_unused]] auto iteration : state) benchmark::DoNotOptimize(work());
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// What all kernels are registered with: the clock's time, and the processor time of all threads.
inline void in_milliseconds(benchmark::internal::Benchmark* kernel) {
  kernel->Unit(benchmark::kMillisecond)->UseRealTime()->MeasureProcessCPUTime();
}

}  // namespace negatron::bench

#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>

#include <benchmark/benchmark.h>

namespace negatron::bench {

/// Reports the counter "linear" of a point of a curve: its time per unit of `size` over that of the smallest size. 1
/// where time is linear. Of the runs of the smallest size the fastest of those with the most iterations counts: the
/// library tries out a few iterations before it measures. Sizes of a curve must run in ascending order.
inline void report_growth(benchmark::State& state, const std::string& curve, std::int64_t size, double seconds) {
  struct Point {
    std::int64_t size = 0;
    std::int64_t iterations = 0;
    double unit = 0.0;
  };
  static std::map<std::string, Point> smallest;
  const double unit = seconds / static_cast<double>(state.iterations()) / static_cast<double>(size);
  Point& first = smallest[curve];
  if (first.size == 0) first.size = size;
  if (first.size == size && first.iterations <= state.iterations()) {
    first.unit = first.iterations == state.iterations() ? std::min(first.unit, unit) : unit;
    first.iterations = state.iterations();
  }
  state.counters["linear"] = unit / first.unit;
}

}  // namespace negatron::bench

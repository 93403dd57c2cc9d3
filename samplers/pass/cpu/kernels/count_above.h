#pragma once

#include <cstdint>

// Internal linkage: each source that includes this is compiled for another instruction set (see pass_kernel.h).
namespace negatron {
namespace {

/// counts [g] of the scores, panel [rows][g], above bounds [g]; g = kVectors vectors. A score NaN is above nothing.
template <class V, int kVectors>
inline void count_above_bounds(const float* scores, std::int64_t rows, const float* bounds, float* counts) {
  const typename V::Float one = V::all(1.0f), none = V::all(0.0f);
  typename V::Float bound[kVectors], count[kVectors];
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) {
    bound[v] = V::load(bounds + v * V::kLanes);
    count[v] = none;
  }
  for (std::int64_t r = 0; r < rows; ++r, scores += kVectors * V::kLanes) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      count[v] = V::add(count[v], V::choose(V::is_larger(V::load(scores + v * V::kLanes), bound[v]), one, none));
    }
  }
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) V::store(counts + v * V::kLanes, count[v]);
}

template <class V>
inline void count_above(const float* scores, std::int64_t rows, std::int64_t query_vectors, const float* bounds,
                        float* counts) {
  switch (query_vectors) {
    case 1:
      return count_above_bounds<V, 1>(scores, rows, bounds, counts);
    case 2:
      return count_above_bounds<V, 2>(scores, rows, bounds, counts);
    default:
      if constexpr (V::kVectors > 2) {
        if (query_vectors == 3) return count_above_bounds<V, 3>(scores, rows, bounds, counts);
        return count_above_bounds<V, 4>(scores, rows, bounds, counts);
      }
  }
}

}  // namespace
}  // namespace negatron

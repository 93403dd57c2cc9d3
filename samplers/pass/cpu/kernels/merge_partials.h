#pragma once

#include <cstdint>

#include "samplers/pass/cpu/kernels/pass_kernel.h"

// Internal linkage: each source that includes this is compiled for another instruction set (see pass_kernel.h).
namespace negatron {
namespace {

/// left becomes the partial of both, in groups of queries. Powers of two only: the one rounding is that of the sum.
template <class V>
inline void merge_partials(const PartialShape& shape, std::int64_t query_vectors, float* left, const float* right) {
  for (std::int64_t vector = 0; vector < query_vectors; vector += V::kVectors) {
    const std::int64_t rest = query_vectors - vector;
    const std::int64_t g = (rest < V::kVectors ? rest : V::kVectors) * V::kLanes;
    for (std::int64_t lane = 0; lane < g; lane += V::kLanes) {
      float* l = left + lane;
      const float* r = right + lane;
      V::store(l, V::larger(V::load(l), V::load(r)));
      l += g;
      r += g;
      for (int term = 0; term < shape.terms; ++term) {
        const typename V::Float reference = V::larger(V::load(l), V::load(r));
        const typename V::Float left_power = V::subtract(V::load(l), reference);
        const typename V::Float right_power = V::subtract(V::load(r), reference);
        V::store(l, reference);
        for (std::int64_t i = 1; i < shape.term_size[term]; ++i) {
          V::store(l + i * g, V::add(V::times_power(V::load(l + i * g), left_power),
                                     V::times_power(V::load(r + i * g), right_power)));
        }
        l += shape.term_size[term] * g;
        r += shape.term_size[term] * g;
      }
    }
    left += shape.size * g;
    right += shape.size * g;
  }
}

}  // namespace
}  // namespace negatron

#pragma once

#include <cstdint>

#include "samplers/pass/cpu/kernels/pass_kernel.h"

// Internal linkage: each source that includes this is compiled for another instruction set (see pass_kernel.h).
namespace negatron {
namespace {

/// A logit that stands for "no candidate" and the reference over no row: below all logits that mean anything, and so
/// far apart that the weight of the former by the latter is 0.
constexpr float kNoLogit = -0x1p62f;
constexpr float kNoReference = -0x1p60f;
/// References follow the largest logit only when it has risen by more than this, so they seldom change. Weights then
/// stay below 2^9.
constexpr float kReferenceSlack = 8.0f;

/// The scores of a tile against a group, panel [count][g], and what becomes logits of them:
/// x = log2_scale s + row_bias[row]. A score NaN is no candidate; so is a row whose bias is -infinity.
struct TileScores {
  float* scores = nullptr;
  std::int64_t count = 0;
  const float* row_bias = nullptr;
};

/// 2^f for f in [-1/2, 1/2], relative error 9e-8; 1 at 0.
template <class V>
inline typename V::Float power_of_rest(typename V::Float f) {
  typename V::Float p = V::all(1.326472707e-3f);
  p = V::multiply_add(p, f, V::all(9.671512649e-3f));
  p = V::multiply_add(p, f, V::all(5.550733744e-2f));
  p = V::multiply_add(p, f, V::all(2.402224209e-1f));
  p = V::multiply_add(p, f, V::all(6.931469776e-1f));
  return V::multiply_add(p, f, V::all(1.0f));
}

template <class V>
inline typename V::Float logit(const TileScores& tile, std::int64_t row, std::int64_t lane, std::int64_t width,
                               typename V::Float log2_scale) {
  return V::multiply_add(V::load(tile.scores + row * width + lane), log2_scale, V::all(tile.row_bias[row]));
}

/// Raises the references [g] to the largest logits of the tile where needed, and scales the masses and sums [rows][g]
/// that follow them.
template <class V, int kVectors>
inline void raise_references(const TileScores& tile, float log2_scale, std::int64_t rows, float* references) {
  constexpr int kWidth = kVectors * V::kLanes;
  const typename V::Float scale = V::all(log2_scale);
  typename V::Float top[kVectors];
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) top[v] = V::all(kNoLogit);
  for (std::int64_t r = 0; r < tile.count; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      top[v] = V::larger(logit<V>(tile, r, v * V::kLanes, kWidth, scale), top[v]);
    }
  }
  for (int v = 0; v < kVectors; ++v) {
    const int lane = v * V::kLanes;
    const typename V::Float old = V::load(references + lane);
    const auto rises = V::is_larger(top[v], V::add(old, V::all(kReferenceSlack)));
    if (!V::any(rises)) continue;
    const typename V::Float reference = V::choose(rises, V::above(top[v]), old);
    const typename V::Float power = V::subtract(old, reference);
    V::store(references + lane, reference);
    for (std::int64_t j = 1; j <= rows; ++j) {
      float* sums = references + j * kWidth + lane;
      V::store(sums, V::times_power(V::load(sums), power));
    }
  }
}

/// Adds the weights of the tile to the mass [g] and stores them as the second product reads them: panel [count][g], or
/// pairs [count / 2][g] of an even count. `weights` may be the tile itself. The mass is that of the weights before they
/// are rounded for the product, as it also decides how much the result counts beside other ranks' results.
template <class Arithmetic, int kVectors>
inline void weigh(const TileScores& tile, float log2_scale, const float* references, float* mass, float* weights) {
  using V = typename Arithmetic::V;
  constexpr int kWidth = kVectors * V::kLanes;
  constexpr int kStep = Arithmetic::kRowsAWord;
  const typename V::Float scale = V::all(log2_scale);
  typename V::Float sum[kVectors];
  typename V::Float reference[kVectors];
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) {
    sum[v] = V::all(0.0f);
    reference[v] = V::load(references + v * V::kLanes);
  }
  for (std::int64_t r = 0; r < tile.count; r += kStep) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      typename V::Float weight[kStep];
#pragma GCC unroll 2
      for (int i = 0; i < kStep; ++i) {
        const typename V::Float x = V::larger(logit<V>(tile, r + i, v * V::kLanes, kWidth, scale), V::all(kNoLogit));
        const typename V::Float whole = V::nearest(x);
        weight[i] = V::times_power(power_of_rest<V>(V::subtract(x, whole)), V::subtract(whole, reference[v]));
        sum[v] = V::add(sum[v], weight[i]);
      }
      Arithmetic::store_weights(weights + r / kStep * kWidth + v * V::kLanes, weight);
    }
  }
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) {
    const int lane = v * V::kLanes;
    V::store(mass + lane, V::add(V::load(mass + lane), sum[v]));
  }
}

/// The largest score of each query [g], of rows whose row_hide is 0.
template <class V, int kVectors>
inline void find_largest(const TileScores& tile, const float* row_hide, float* largest) {
  constexpr int kWidth = kVectors * V::kLanes;
  for (std::int64_t r = 0; r < tile.count; ++r) {
    for (int v = 0; v < kVectors; ++v) {
      const int lane = v * V::kLanes;
      const typename V::Float score = V::add(V::load(tile.scores + r * kWidth + lane), V::all(row_hide[r]));
      V::store(largest + lane, V::larger(score, V::load(largest + lane)));
    }
  }
}

}  // namespace
}  // namespace negatron

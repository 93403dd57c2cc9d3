#pragma once

#include <cstdint>

#include "samplers/pass/cpu/kernels/panel_product.h"
#include "samplers/pass/cpu/kernels/pass_kernel.h"
#include "samplers/pass/cpu/kernels/tile_weights.h"

// Internal linkage: each source that includes this is compiled for another instruction set (see pass_kernel.h).
namespace negatron {
namespace {

/// |n|^2 of a row of `depth` words.
template <class Arithmetic>
inline float square_of(const Word* words, std::int64_t depth) {
  using V = typename Arithmetic::V;
  typename V::Float sum = V::all(0.0f);
  std::int64_t k = 0;
  float lanes[V::kLanes];
  const auto add = [&](const float* from) {
    const typename V::Float part = V::load(from);
    sum = Arithmetic::multiply_add(part, part, sum);
  };
  for (; k + V::kLanes <= depth; k += V::kLanes) {
    __builtin_memcpy(lanes, words + k, sizeof(lanes));
    add(lanes);
  }
  if (k < depth) {
    for (float& lane : lanes) lane = 0.0f;
    __builtin_memcpy(lanes, words + k, static_cast<std::size_t>(depth - k) * sizeof(float));
    add(lanes);
  }
  return V::sum(sum);
}

/// Over `count` rows, of those whose row_hide is 0.
template <class Arithmetic>
inline void raise_largest_square(Scalars rows, std::int64_t count, std::int64_t depth, const float* row_hide,
                                 float* largest_square) {
  for (std::int64_t r = 0; r < count; ++r) {
    if (row_hide[r] != 0.0f) continue;
    const float square = square_of<Arithmetic>(rows.words + r * rows.row_step, depth);
    const bool finite = square < __builtin_inff();
    if (!finite) *largest_square = __builtin_inff();
    if (square > *largest_square) *largest_square = square;
  }
}

/// The lanes of the mask, moved to the front in their order; what follows means nothing.
template <class V>
inline typename V::Float front(typename V::Mask mask, typename V::Float a) {
  if constexpr (requires { V::front(mask, a); }) {
    return V::front(mask, a);
  } else {
    float from[V::kLanes], to[V::kLanes] = {};
    V::store(from, a);
    int count = 0;
    for (unsigned rest = V::bits(mask); rest != 0; rest &= rest - 1) to[count++] = from[__builtin_ctz(rest)];
    return V::load(to);
  }
}

/// Which scores of a tile, counted through the panel, lie above their queries' thresholds: writes their numbers to
/// `above`, which holds kTileRows rows, and returns how many. Without a branch on what is above, because that cannot be
/// foreseen. A score NaN is above nothing.
template <class V, int kVectors>
inline std::int64_t find_above(const TileScores& tile, const float* row_hide, const float* thresholds, float* above) {
  constexpr int kWidth = kVectors * V::kLanes;
  static_assert(kTileRows * kWidth < 1 << 24, "fp32 holds the numbers");
  typename V::Float threshold[kVectors], number[kVectors];
  float numbers[kWidth];
  for (int i = 0; i < kWidth; ++i) numbers[i] = static_cast<float>(i);
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) {
    threshold[v] = V::load(thresholds + v * V::kLanes);
    number[v] = V::load(numbers + v * V::kLanes);
  }
  const typename V::Float next_row = V::all(static_cast<float>(kWidth));
  std::int64_t count = 0;
  for (std::int64_t r = 0; r < tile.count; ++r) {
    const bool visible = row_hide[r] == 0.0f;
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const typename V::Mask mask = V::is_larger(V::load(tile.scores + r * kWidth + v * V::kLanes), threshold[v]);
      V::store(above + count, front<V>(mask, number[v]));
      count += visible ? __builtin_popcount(V::bits(mask)) : 0;
      number[v] = V::add(number[v], next_row);
    }
  }
  return count;
}

/// Of a tile that begins with row `first_row`, for the group that begins with `first_query` of the block. `spare` holds
/// kTileRows rows of scores.
template <class V, int kVectors>
inline void note_near_rows(const TileScores& tile, const float* row_hide, std::int64_t first_row,
                           std::int64_t first_query, float* spare, NearRows& near) {
  constexpr int kWidth = kVectors * V::kLanes;
  const std::int64_t count = find_above<V, kVectors>(tile, row_hide, near.thresholds + first_query, spare);
  std::int32_t* const counts = near.counts + first_query;
  NearRow* const lists = near.rows + first_query * near.stride;
  for (std::int64_t i = 0; i < count; ++i) {
    const int number = static_cast<int>(spare[i]);
    const int lane = number % kWidth;
    lists[lane * near.stride + counts[lane]++] = {tile.scores[number],
                                                  static_cast<std::int32_t>(first_row + number / kWidth)};
  }
}

}  // namespace
}  // namespace negatron

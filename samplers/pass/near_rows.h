#pragma once

#include <cstdint>

#include "samplers/pass/panel_product.h"
#include "samplers/pass/pass_kernel.h"
#include "samplers/pass/tile_weights.h"

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
  V::store(lanes, sum);
  float square = 0.0f;
  for (const float lane : lanes) square += lane;
  return square;
}

/// Over `count` rows, of those whose row_hide is 0.
template <class Arithmetic>
inline void raise_largest_square(Scalars rows, std::int64_t count, std::int64_t depth, const float* row_hide,
                                 NearRows& near) {
  for (std::int64_t r = 0; r < count; ++r) {
    if (row_hide[r] != 0.0f) continue;
    const float square = square_of<Arithmetic>(rows.words + r * rows.row_step, depth);
    const bool finite = square < __builtin_inff();
    if (!finite) near.largest_square = __builtin_inff();
    if (square > near.largest_square) near.largest_square = square;
  }
}

/// Of a tile that begins with row `first_row`, for the group that begins with `first_query` of the block. A score NaN
/// is above nothing.
template <class V, int kVectors>
inline void note_near_rows(const TileScores& tile, const float* row_hide, std::int64_t first_row,
                           std::int64_t first_query, NearRows& near) {
  constexpr int kWidth = kVectors * V::kLanes;
  static_assert(kWidth <= 64, "a bit for each query of a group");
  typename V::Float threshold[kVectors];
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) threshold[v] = V::load(near.thresholds + first_query + v * V::kLanes);
  std::int32_t* const counts = near.counts + first_query;
  for (std::int64_t r = 0; r < tile.count; ++r) {
    const float* const scores = tile.scores + r * kWidth;
    unsigned long long above = 0;
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const unsigned bits = V::bits(V::is_larger(V::load(scores + v * V::kLanes), threshold[v]));
      above |= static_cast<unsigned long long>(bits) << (v * V::kLanes);
    }
    if (row_hide[r] != 0.0f) continue;
    for (; above != 0; above &= above - 1) {
      const int lane = __builtin_ctzll(above);
      NearRow* const list = near.rows + (first_query + lane) * near.stride;
      list[counts[lane]++] = {scores[lane], static_cast<std::int32_t>(first_row + r)};
    }
  }
}

}  // namespace
}  // namespace negatron

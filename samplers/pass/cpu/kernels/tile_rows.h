#pragma once

#include <cstdint>

#include "samplers/pass/cpu/kernels/panel_product.h"
#include "samplers/pass/cpu/kernels/pass_kernel.h"

// Internal linkage: each source that includes this is compiled for another instruction set (see pass_kernel.h).
namespace negatron {
namespace {

/// What keeps rows of power-of-two widths from all falling into the same sets of the first-level cache.
constexpr std::int64_t kRowPadding = 16;

/// The rows [count, d] of a tile as the two products read them.
struct TileRows {
  Scalars scores;  // (row, number of d), or (row, pair of d)
  std::int64_t score_depth = 0;
  Scalars sums;  // (number of d, row), or (number of d, pair of rows)
  std::int64_t sum_depth = 0;
};

using Half = std::uint16_t __attribute__((may_alias));
using Bits = std::uint32_t __attribute__((may_alias));

inline void widen_bf16(const Half* from, std::int64_t count, Bits* to) {
  for (std::int64_t i = 0; i < count; ++i) to[i] = static_cast<std::uint32_t>(from[i]) << 16;
}

/// Moves exponent and fraction to their places and corrects the exponent by a product, which also serves numbers below
/// the normal ones; infinities and what is no number get their exponent back.
inline void widen_fp16(const Half* from, std::int64_t count, Word* to) {
  constexpr float kExponentDifference = 0x1p112f;
  constexpr std::uint32_t kNotFinite16 = 0x7c00u, kNotFinite32 = 0x7f800000u;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::uint32_t magnitude = (from[i] & 0x7fffu) << 13;
    const std::uint32_t sign = (from[i] & 0x8000u) << 16;
    const float value = __builtin_bit_cast(float, magnitude) * kExponentDifference;
    const std::uint32_t exponent = (from[i] & kNotFinite16) == kNotFinite16 ? kNotFinite32 : 0u;
    to[i] = __builtin_bit_cast(float, __builtin_bit_cast(std::uint32_t, value) | sign | exponent);
  }
}

/// Pairs of numbers of two rows; a missing second row is 0.
inline void interleave(const Half* first, const Half* second, std::int64_t count, Bits* to) {
  if (second == nullptr) {
    for (std::int64_t i = 0; i < count; ++i) to[i] = first[i];
    return;
  }
  for (std::int64_t i = 0; i < count; ++i) {
    to[i] = static_cast<std::uint32_t>(first[i]) | static_cast<std::uint32_t>(second[i]) << 16;
  }
}

/// Numbers of workspace that the two below need.
inline std::int64_t padded_rows_size(std::int64_t width) {
  return kTileRows * (width + 1 + kRowPadding);
}

/// fp32 rows are read where they lie, others are widened into the workspace.
inline TileRows fp32_tile_rows(const LeafScan& leaf, std::int64_t begin, std::int64_t count, float* workspace) {
  const std::int64_t width = leaf.shape.width;
  const auto* words = reinterpret_cast<const Word*>(leaf.rows) + begin * leaf.row_stride;
  std::int64_t stride = leaf.row_stride;
  if (leaf.format != RowFormat::kFp32) {
    stride = width + kRowPadding;
    const auto* halves = reinterpret_cast<const Half*>(leaf.rows) + begin * leaf.row_stride;
    for (std::int64_t r = 0; r < count; ++r) {
      float* to = workspace + r * stride;
      if (leaf.format == RowFormat::kBf16) {
        widen_bf16(halves + r * leaf.row_stride, width, reinterpret_cast<Bits*>(to));
      } else {
        widen_fp16(halves + r * leaf.row_stride, width, reinterpret_cast<Word*>(to));
      }
    }
    words = reinterpret_cast<const Word*>(workspace);
  }
  return {{words, stride, 1}, width, {words, 1, stride}, count};
}

/// bf16 rows are read where they lie for scores, unless they are of odd width; for sums pairs of rows are interleaved.
inline TileRows pair_tile_rows(const LeafScan& leaf, std::int64_t begin, std::int64_t count, float* workspace) {
  const std::int64_t width = leaf.shape.width;
  const std::int64_t stride = width + kRowPadding;
  const auto* halves = reinterpret_cast<const Half*>(leaf.rows) + begin * leaf.row_stride;
  auto* interleaved = reinterpret_cast<Bits*>(workspace);
  for (std::int64_t r = 0; r < count; r += 2) {
    const Half* first = halves + r * leaf.row_stride;
    interleave(first, r + 1 < count ? first + leaf.row_stride : nullptr, width, interleaved + r / 2 * stride);
  }
  Scalars scores{reinterpret_cast<const Word*>(halves), leaf.row_stride / 2, 1};
  if (width % 2 != 0 || leaf.row_stride % 2 != 0) {
    const std::int64_t padded = (width + 1) / 2 * 2;
    auto* copy = reinterpret_cast<Half*>(interleaved + (kTileRows / 2) * stride);
    for (std::int64_t r = 0; r < count; ++r) {
      for (std::int64_t i = 0; i < width; ++i) copy[r * padded + i] = halves[r * leaf.row_stride + i];
      for (std::int64_t i = width; i < padded; ++i) copy[r * padded + i] = 0;
    }
    scores = {reinterpret_cast<const Word*>(copy), padded / 2, 1};
  }
  const auto* pairs = reinterpret_cast<const Word*>(interleaved);
  return {scores, (width + 1) / 2, {pairs, 1, stride}, (count + 1) / 2};
}

}  // namespace
}  // namespace negatron

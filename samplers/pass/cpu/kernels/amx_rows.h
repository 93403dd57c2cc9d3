#pragma once

#include <cstdint>

#include <immintrin.h>

#include "samplers/pass/cpu/kernels/amx_product.h"
#include "samplers/pass/cpu/kernels/tile_rows.h"

// Internal linkage: each source that includes this is compiled for another instruction set (see pass_kernel.h).
namespace negatron {
namespace {

constexpr std::int64_t padded(std::int64_t count, std::int64_t step) {
  return (count + step - 1) / step * step;
}

/// Numbers of bf16 side by side that fill a tile.
constexpr std::int64_t kTileHalves = 2 * kTileSide;
/// Pairs of the rows of a tile of the scan.
constexpr std::int64_t kTilePairs = kTileRows / 2;

/// Interleaves rows i and i + 8 four times, which exchanges rows and columns.
inline void transpose(__m512i (&words)[kTileSide]) {
  const __m512i low = _mm512_set_epi32(23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  const __m512i high = _mm512_add_epi32(low, _mm512_set1_epi32(8));
#pragma GCC unroll 4
  for (int round = 0; round < 4; ++round) {
    __m512i next[kTileSide];
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) {
      next[2 * i] = _mm512_permutex2var_epi32(words[i], low, words[i + 8]);
      next[2 * i + 1] = _mm512_permutex2var_epi32(words[i], high, words[i + 8]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < kTileSide; ++i) words[i] = next[i];
  }
}

/// rows [count, width], `stride` apart, to [padded width][kTilePairs]: the rows of a number of d side by side. What is
/// no row or no number is 0.
inline void transpose_rows(const Half* rows, std::int64_t stride, std::int64_t count, std::int64_t width, Bits* to) {
  for (std::int64_t first = 0; first < width; first += kTileSide) {
    const std::int64_t left = width - first;
    const auto present = static_cast<__mmask16>(left < kTileSide ? (1u << left) - 1 : 0xffffu);
    const auto widened = [&](std::int64_t row) {
      if (row >= count) return _mm512_setzero_si512();
      return _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(present, rows + row * stride + first));
    };
    for (std::int64_t pair = 0; pair < padded((count + 1) / 2, kTileSide); pair += kTileSide) {
      __m512i words[kTileSide];
#pragma GCC unroll 16
      for (std::int64_t i = 0; i < kTileSide; ++i) {
        const std::int64_t row = 2 * (pair + i);
        words[i] = _mm512_or_si512(widened(row), _mm512_slli_epi32(widened(row + 1), 16));
      }
      transpose(words);
#pragma GCC unroll 16
      for (std::int64_t i = 0; i < kTileSide; ++i) {
        _mm512_storeu_si512(to + (first + i) * kTilePairs + pair, words[i]);
      }
    }
  }
}

/// Numbers of workspace that amx_tile_rows() needs.
inline std::int64_t amx_rows_size(std::int64_t width) {
  return padded(width, kTileSide) * kTilePairs + kTileRows * padded(width, kTileHalves) / 2;
}

/// For scores rows in bf16 are read where they lie, unless they fill no tile: then from a copy with zeros around it.
inline TileRows amx_tile_rows(const LeafScan& leaf, std::int64_t begin, std::int64_t count, float* workspace) {
  const std::int64_t width = leaf.shape.width;
  const auto* halves = reinterpret_cast<const Half*>(leaf.rows) + begin * leaf.row_stride;
  auto* transposed = reinterpret_cast<Bits*>(workspace);
  transpose_rows(halves, leaf.row_stride, count, width, transposed);
  const std::int64_t padded_width = padded(width, kTileHalves);
  Scalars scores{reinterpret_cast<const Word*>(halves), leaf.row_stride / 2, 1};
  if (width != padded_width || count % kTileSide != 0 || leaf.row_stride % 2 != 0) {
    auto* copy = reinterpret_cast<Half*>(transposed + padded(width, kTileSide) * kTilePairs);
    for (std::int64_t r = 0; r < padded(count, kTileSide); ++r) {
      const std::int64_t present = r < count ? width : 0;
      for (std::int64_t i = 0; i < present; ++i) copy[r * padded_width + i] = halves[r * leaf.row_stride + i];
      for (std::int64_t i = present; i < padded_width; ++i) copy[r * padded_width + i] = 0;
    }
    scores = {reinterpret_cast<const Word*>(copy), padded_width / 2, 1};
  }
  const auto* pairs = reinterpret_cast<const Word*>(transposed);
  return {scores, padded_width / 2, {pairs, kTilePairs, 1}, padded((count + 1) / 2, kTileSide)};
}

}  // namespace
}  // namespace negatron

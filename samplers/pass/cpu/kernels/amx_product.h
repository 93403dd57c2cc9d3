#pragma once

#include <cstdint>

#include "samplers/pass/cpu/kernels/panel_product.h"

// Internal linkage: each source that includes this is compiled for another instruction set (see pass_kernel.h).
namespace negatron {
namespace {

/// Rows, columns and pairs of bf16 that a tile holds.
constexpr std::int64_t kTileSide = 16;

/// One of up to 2 by 2 tiles of sums, with the tiles that it is the product of: each tile of rows and of columns serves
/// two of sums, so that loads keep up with products, and all eight are in use.
template <int kRow, int kColumn>
struct SumTile {
  static constexpr int kSum = 2 * kRow + kColumn;
  static constexpr int kRows = 4 + kRow;
  static constexpr int kColumns = 6 + kColumn;
  /// Where it lies in a panel of `width` columns.
  static std::int64_t offset(std::int64_t width) { return kRow * kTileSide * width + kColumn * kTileSide; }
};

/// visit(SumTile) for each of kRowTiles by kColumnTiles, 1 or 2 each.
template <int kRowTiles, int kColumnTiles, class Visit>
inline void for_each_sum(const Visit& visit) {
  visit(SumTile<0, 0>());
  if constexpr (kColumnTiles == 2) visit(SumTile<0, 1>());
  if constexpr (kRowTiles == 2) visit(SumTile<1, 0>());
  if constexpr (kRowTiles == 2 && kColumnTiles == 2) visit(SumTile<1, 1>());
}

/// sums (+)= scalars [16 kRowTiles][depth] . panel [depth][16 kColumnTiles], both panels `width` columns wide; the
/// depth is a multiple of 16 words.
template <class Tiles, int kRowTiles, int kColumnTiles, bool kAdd>
inline void multiply_tiles(Scalars scalars, const float* panel, std::int64_t depth, std::int64_t width, float* sums) {
  constexpr std::int64_t kWordBytes = sizeof(float);
  const std::int64_t panel_stride = width * kWordBytes;
  const std::int64_t row_stride = scalars.row_step * kWordBytes;
  for_each_sum<kRowTiles, kColumnTiles>([&]<int kRow, int kColumn>(SumTile<kRow, kColumn> sum) {
    if constexpr (kAdd) {
      Tiles::template load<sum.kSum>(sums + sum.offset(width), panel_stride);
    } else {
      Tiles::template zero<sum.kSum>();
    }
  });
  for (std::int64_t k = 0; k < depth; k += kTileSide) {
    for_each_sum<kRowTiles, kColumnTiles>([&]<int kRow, int kColumn>(SumTile<kRow, kColumn> sum) {
      if constexpr (kColumn == 0) {
        Tiles::template load<sum.kRows>(scalars.words + kRow * kTileSide * scalars.row_step + k, row_stride);
      }
      if constexpr (kRow == 0) {
        Tiles::template load<sum.kColumns>(panel + k * width + kColumn * kTileSide, panel_stride);
      }
      Tiles::template multiply_add<sum.kSum, sum.kRows, sum.kColumns>();
    });
  }
  for_each_sum<kRowTiles, kColumnTiles>([&]<int kRow, int kColumn>(SumTile<kRow, kColumn> sum) {
    Tiles::template store<sum.kSum>(sums + sum.offset(width), panel_stride);
  });
}

/// The same for all columns of a group, 16 kVectors.
template <class Tiles, int kRowTiles, int kVectors, bool kAdd>
inline void multiply_columns(Scalars scalars, const float* panel, std::int64_t depth, float* sums) {
  constexpr std::int64_t kWidth = kVectors * kTileSide;
  constexpr std::int64_t kPairs = kTileSide * (kVectors / 2 * 2);
  for (std::int64_t column = 0; column < kPairs; column += 2 * kTileSide) {
    multiply_tiles<Tiles, kRowTiles, 2, kAdd>(scalars, panel + column, depth, kWidth, sums + column);
  }
  if constexpr (kVectors % 2 != 0) {
    multiply_tiles<Tiles, kRowTiles, 1, kAdd>(scalars, panel + kPairs, depth, kWidth, sums + kPairs);
  }
}

/// What multiply_panel() computes, in tiles: sums [rows][g] (+)= scalars [rows][depth] . panel [depth][g] for any
/// number of rows. Scalars lie side by side (depth_step 1) and are read to a multiple of 16 rows. A sum does not depend
/// on which tile it lies in.
template <class Tiles, int kVectors, bool kAdd>
inline void multiply_in_tiles(std::int64_t rows, Scalars scalars, const float* panel, std::int64_t depth, float* sums) {
  constexpr std::int64_t kWidth = kVectors * kTileSide;
  const auto advance = [&](std::int64_t count) {
    rows -= count;
    scalars.words += count * scalars.row_step;
    sums += count * kWidth;
  };
  for (; rows >= 2 * kTileSide; advance(2 * kTileSide)) {
    multiply_columns<Tiles, 2, kVectors, kAdd>(scalars, panel, depth, sums);
  }
  if (rows >= kTileSide) {
    multiply_columns<Tiles, 1, kVectors, kAdd>(scalars, panel, depth, sums);
    advance(kTileSide);
  }
  if (rows == 0) return;
  // What lies behind the last sum is something else.
  alignas(64) float last[kTileSide * kWidth] = {};
  for (std::int64_t i = 0; kAdd && i < rows * kWidth; ++i) last[i] = sums[i];
  multiply_columns<Tiles, 1, kVectors, kAdd>(scalars, panel, depth, last);
  for (std::int64_t i = 0; i < rows * kWidth; ++i) sums[i] = last[i];
}

}  // namespace
}  // namespace negatron

#pragma once

#include <cstdint>

#include "samplers/pass/cuda/scan_shape.h"

namespace negatron {

/// The score of a row that is no candidate.
inline constexpr float kBarredScore = -__builtin_huge_valf();

/// Which rows of a chunk each of the thread's queries must not meet, a bit a row. A thread holds scores of two queries
/// in each of the warp's query tiles, see warp_tile.h.
template <class Shape>
using RowBars = std::uint32_t[Shape::kQueryTiles][2];

/// The thread's query `half` of query tile `m`.
template <class Shape, class Thread>
NEGATRON_HOST_DEVICE int own_query(const Thread& thread, int m, int half) {
  return thread.block_x() * Shape::kQueries + thread.warp() * Shape::kWarpQueries + 16 * m + 8 * half +
         thread.lane() / 4;
}

/// Finds what bars the rows of the chunk that begins with row `first` of the bank.
template <class Shape, class Thread>
NEGATRON_HOST_DEVICE void find_bars(const Thread& thread, const BankScan& scan, int first, RowBars<Shape>& bars) {
  std::uint32_t of_all = 0;
  if (scan.validity != nullptr || first + kScanChunkRows > scan.row_count) {
    const int row = first + thread.lane();
    of_all = thread.ballot(row >= scan.row_count || (scan.validity != nullptr && scan.validity[row] != 0.0f));
  }
  NEGATRON_UNROLL
  for (int m = 0; m < Shape::kQueryTiles; ++m) bars[m][0] = bars[m][1] = of_all;
  if (scan.excluded == nullptr) return;
  const int chunk = first / kScanChunkRows;
  for (std::int32_t i = scan.excluded_begin[chunk]; i < scan.excluded_begin[chunk + 1]; ++i) {
    const ScanExclusion pair = scan.excluded[i];
    NEGATRON_UNROLL
    for (int m = 0; m < Shape::kQueryTiles; ++m) {
      NEGATRON_UNROLL
      for (int half = 0; half < 2; ++half) {
        if (pair.query == own_query<Shape>(thread, m, half)) bars[m][half] |= 1u << (pair.row - first);
      }
    }
  }
}

/// The place in a chunk of rows of element e of the scores against row tile j.
template <class Thread>
NEGATRON_HOST_DEVICE int row_in_chunk(const Thread& thread, int j, int e) {
  return 8 * j + thread.lane() % 4 * 2 + e % 2;
}

/// kBarredScore in place of scores of barred rows.
template <class Shape, class Thread>
NEGATRON_HOST_DEVICE void bar_rows(const Thread& thread, const RowBars<Shape>& bars,
                                   float (&scores)[Shape::kQueryTiles][Shape::kRowTiles][4]) {
  NEGATRON_UNROLL
  for (int m = 0; m < Shape::kQueryTiles; ++m) {
    if ((bars[m][0] | bars[m][1]) == 0) continue;
    NEGATRON_UNROLL
    for (int j = 0; j < Shape::kRowTiles; ++j) {
      NEGATRON_UNROLL
      for (int e = 0; e < 4; ++e) {
        if (bars[m][e / 2] >> row_in_chunk(thread, j, e) & 1) scores[m][j][e] = kBarredScore;
      }
    }
  }
}

}  // namespace negatron

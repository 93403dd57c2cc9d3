#pragma once

#include <cstdint>

#include "samplers/pass/cuda/scan_shape.h"

// The two products of a warp, on tensor cores. `Thread` is what one thread can do alone and with its warp
// (device_thread.cuh; on the host a test's).
//
// A product is m16n8k16 of PTX: it adds A [16 queries, 16] B [16, 8] to C [16, 8]. Of C a thread holds C[g][2t],
// C[g][2t + 1], C[g + 8][2t] and C[g + 8][2t + 1], with g = lane / 4 and t = lane % 4; of A and B it holds pairs in the
// same pattern. So the scores of 16 rows, as they come out of the first product, are the A of the second.
namespace negatron {

/// Scores of the warp's queries against a chunk of rows, as C.
template <class Shape>
using ChunkScores = float[Shape::kQueryTiles][Shape::kRowTiles][4];
/// Weights of 16 rows, as A.
template <class Shape>
using RowWeights = std::uint32_t[Shape::kTerms][Shape::kQueryTiles][4];
/// Weighted sums of rows, as C.
template <class Shape>
using WeightedSums = float[Shape::kTerms][Shape::kQueryTiles][Shape::kColumnTiles][4];

/// scores = queries [parts][kQueries][kWidth] times the rows from `first_row` of a tile.
template <class Shape, class Thread>
NEGATRON_HOST_DEVICE void score_chunk(const Thread& thread, const std::uint16_t* queries, int parts,
                                      const std::uint16_t* tile, int first_row, ChunkScores<Shape>& scores) {
  const int lane = thread.lane();
  const int query = swizzled<Shape>(thread.warp() * Shape::kWarpQueries + lane % 16, lane / 16 * 8);
  const int row = swizzled<Shape>(first_row + lane % 8 + lane / 16 * 8, lane / 8 % 2 * 8);
  NEGATRON_UNROLL
  for (int m = 0; m < Shape::kQueryTiles; ++m) {
    NEGATRON_UNROLL
    for (int j = 0; j < Shape::kRowTiles; ++j) {
      NEGATRON_UNROLL
      for (int e = 0; e < 4; ++e) scores[m][j][e] = 0.0f;
    }
  }
  NEGATRON_UNROLL_BY(2)
  for (int k = 0; k < Shape::kWidth; k += 16) {
    std::uint32_t b[Shape::kRowTiles / 2][4];
    NEGATRON_UNROLL
    for (int j = 0; j < Shape::kRowTiles / 2; ++j) {
      thread.load_matrices(b[j], tile + (row ^ k) + 16 * j * Shape::kWidth);
    }
    for (int part = 0; part < parts; ++part) {
      NEGATRON_UNROLL
      for (int m = 0; m < Shape::kQueryTiles; ++m) {
        std::uint32_t a[4];
        thread.load_matrices(a, queries + part * Shape::kQueryNumbers + (query ^ k) + 16 * m * Shape::kWidth);
        NEGATRON_UNROLL
        for (int j = 0; j < Shape::kRowTiles; ++j) {
          thread.multiply_add(scores[m][j], a, b[j / 2][j % 2 * 2], b[j / 2][j % 2 * 2 + 1]);
        }
      }
    }
  }
}

/// sums += weights of the 16 rows from `first_row` of a tile times those rows.
template <class Shape, class Thread>
NEGATRON_HOST_DEVICE void add_rows(const Thread& thread, const std::uint16_t* tile, int first_row,
                                   const RowWeights<Shape>& weights, WeightedSums<Shape>& sums) {
  const int row = swizzled<Shape>(first_row + thread.lane() % 16, thread.lane() / 16 * 8);
  NEGATRON_UNROLL
  for (int column = 0; column < Shape::kWidth; column += 16) {
    std::uint32_t b[4];
    thread.load_transposed(b, tile + (row ^ column));
    NEGATRON_UNROLL
    for (int term = 0; term < Shape::kTerms; ++term) {
      NEGATRON_UNROLL
      for (int m = 0; m < Shape::kQueryTiles; ++m) {
        thread.multiply_add(sums[term][m][column / 8], weights[term][m], b[0], b[1]);
        thread.multiply_add(sums[term][m][column / 8 + 1], weights[term][m], b[2], b[3]);
      }
    }
  }
}

}  // namespace negatron

#pragma once

#include <cstdint>

#include "samplers/pass/cuda/row_bars.h"
#include "samplers/pass/cuda/row_filter.h"
#include "samplers/pass/cuda/row_weights.h"
#include "samplers/pass/cuda/tile_copy.h"
#include "samplers/pass/cuda/warp_tile.h"

namespace negatron {

/// The sum over the four neighbouring threads that share a query, and the maximum.
template <class Thread>
NEGATRON_HOST_DEVICE float sum_of_four(const Thread& thread, float value) {
  value += thread.shuffle_xor(value, 1);
  return value + thread.shuffle_xor(value, 2);
}

template <class Thread>
NEGATRON_HOST_DEVICE float largest_of_four(const Thread& thread, float value) {
  value = __builtin_fmaxf(value, thread.shuffle_xor(value, 1));
  return __builtin_fmaxf(value, thread.shuffle_xor(value, 2));
}

/// The largest scores of a thread's queries among its own rows.
template <class Shape>
NEGATRON_HOST_DEVICE void keep_best(const ChunkScores<Shape>& scores, float (&best)[Shape::kQueryTiles][2]) {
  NEGATRON_UNROLL
  for (int m = 0; m < Shape::kQueryTiles; ++m) {
    NEGATRON_UNROLL
    for (int j = 0; j < Shape::kRowTiles; ++j) {
      NEGATRON_UNROLL
      for (int e = 0; e < 4; ++e) best[m][e / 2] = __builtin_fmaxf(best[m][e / 2], scores[m][j][e]);
    }
  }
}

/// Writes what the warp found in slice block_y().
template <class Shape, class Thread>
NEGATRON_HOST_DEVICE void store_slice(const Thread& thread, const BankScan& scan, const QueryMasses<Shape>& masses,
                                      const WeightedSums<Shape>& sums, const float (&best)[Shape::kQueryTiles][2]) {
  const int first_column = thread.lane() % 4 * 2;
  NEGATRON_UNROLL
  for (int m = 0; m < Shape::kQueryTiles; ++m) {
    NEGATRON_UNROLL
    for (int half = 0; half < 2; ++half) {
      const int query = own_query<Shape>(thread, m, half);
      const float largest = largest_of_four(thread, best[m][half]);
      const bool writes = query < scan.query_count;
      if (writes && first_column == 0) scan.maxima[std::int64_t{thread.block_y()} * scan.query_count + query] = largest;
      NEGATRON_UNROLL
      for (int term = 0; term < Shape::kTerms; ++term) {
        const float mass = sum_of_four(thread, masses.mass[term][m][half]);
        if (!writes) continue;
        const std::int64_t place = (std::int64_t{thread.block_y()} * Shape::kTerms + term) * scan.query_count + query;
        if (first_column == 0) {
          scan.references[place] = masses.reference[term][m][half];
          scan.masses[place] = mass;
        }
        float* own = scan.sums + place * scan.width;
        NEGATRON_UNROLL
        for (int c = 0; c < Shape::kColumnTiles; ++c) {
          const int column = 8 * c + first_column;
          if (column >= scan.width) continue;
          thread.store_pair(own + column, sums[term][m][c][2 * half], sums[term][m][c][2 * half + 1]);
        }
      }
    }
  }
}

/// Begins to copy the block's queries, part after part.
template <class Shape, class Thread>
NEGATRON_HOST_DEVICE void copy_queries(const Thread& thread, const BankScan& scan, std::uint16_t* queries) {
  const int first_query = thread.block_x() * Shape::kQueries;
  for (int part = 0; part < scan.parts; ++part) {
    copy_tile<Shape, Shape::kQueries>(
        thread, scan.queries + (std::int64_t{part} * scan.query_count + first_query) * scan.width,
        scan.query_count - first_query, scan.width, queries + part * Shape::kQueryNumbers);
  }
}

/// A thread block of a scan: block_x() counts blocks of queries, block_y() slices of the rows. `shared` holds
/// Shape::shared_bytes(parts) bytes, 16 bytes aligned.
template <class Shape, class Thread>
NEGATRON_HOST_DEVICE void scan_block(const Thread& thread, const BankScan& scan, std::uint16_t* shared) {
  std::uint16_t* const queries = shared;
  std::uint16_t* const tiles = queries + scan.parts * Shape::kQueryNumbers;
  const int all_tiles = tile_count(scan);
  const int begin = thread.block_y() * scan.tiles_a_slice;
  const int end = begin + scan.tiles_a_slice < all_tiles ? begin + scan.tiles_a_slice : all_tiles;
  const auto copy_rows = [&](int tile) {
    const int first = tile * kScanTileRows;
    copy_tile<Shape, kScanTileRows>(thread, scan.rows + std::int64_t{first} * scan.width, scan.row_count - first,
                                    scan.width, tiles + (tile - begin) % 2 * Shape::kTileNumbers);
  };

  copy_queries<Shape>(thread, scan, queries);
  if (begin < end) copy_rows(begin);

  QueryMasses<Shape> masses;
  WeightedSums<Shape> sums = {};
  float best[Shape::kQueryTiles][2];
  start_masses<Shape>(thread, scan, masses);
  NEGATRON_UNROLL
  for (int m = 0; m < Shape::kQueryTiles; ++m) {
    best[m][0] = best[m][1] = kBarredScore;
  }

  for (int tile = begin; tile < end; ++tile) {
    // This tile has arrived for all threads, and all have done with the one before, in whose place the next one goes.
    thread.wait_for_copies();
    thread.sync();
    if (tile + 1 < end) copy_rows(tile + 1);
    const std::uint16_t* rows = tiles + (tile - begin) % 2 * Shape::kTileNumbers;
    NEGATRON_UNROLL_BY(1)
    for (int first = 0; first < kScanTileRows; first += kScanChunkRows) {
      ChunkScores<Shape> scores;
      score_chunk<Shape>(thread, queries, scan.parts, rows, first, scores);
      RowBars<Shape> bars;
      find_bars<Shape>(thread, scan, tile * kScanTileRows + first, bars);
      bar_rows<Shape>(thread, bars, scores);
      keep_best<Shape>(scores, best);
      if (scan.filter.thresholds != nullptr) {
        filter_rows<Shape>(thread, scan, tile * kScanTileRows + first, scores);
      }
      NEGATRON_UNROLL
      for (int term = 0; term < Shape::kTerms; ++term) {
        if (masses.follows[term]) {
          raise_references<Shape>(thread, scan, term, tile * kScanTileRows + first, scores, masses, sums);
        }
      }
      thread.converge();
      NEGATRON_UNROLL
      for (int pair = 0; pair < Shape::kRowTiles / 2; ++pair) {
        RowWeights<Shape> weights;
        weigh_rows<Shape>(thread, scan, tile * kScanTileRows + first, pair, scores, masses, weights);
        add_rows<Shape>(thread, rows, first + 16 * pair, weights, sums);
      }
    }
  }
  store_slice<Shape>(thread, scan, masses, sums, best);
}

}  // namespace negatron

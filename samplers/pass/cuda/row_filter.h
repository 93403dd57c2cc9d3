#pragma once

#include <cstdint>

#include "samplers/pass/cuda/row_bars.h"

namespace negatron {

/// Hands out the candidates of a chunk, from `first_row` of the bank, that reach their query's threshold.
template <class Shape, class Thread>
NEGATRON_HOST_DEVICE void filter_rows(const Thread& thread, const BankScan& scan, int first_row,
                                      const float (&scores)[Shape::kQueryTiles][Shape::kRowTiles][4]) {
  const ScanFilter& filter = scan.filter;
  NEGATRON_UNROLL
  for (int m = 0; m < Shape::kQueryTiles; ++m) {
    NEGATRON_UNROLL
    for (int half = 0; half < 2; ++half) {
      const int query = own_query<Shape>(thread, m, half);
      if (query >= scan.query_count) continue;
      const float threshold = filter.thresholds[query];
      NEGATRON_UNROLL
      for (int j = 0; j < Shape::kRowTiles; ++j) {
        NEGATRON_UNROLL
        for (int e = 0; e < 2; ++e) {
          const float score = scores[m][j][2 * half + e];
          if (!(score >= threshold) || score == kBarredScore) continue;
          const std::int32_t place = thread.count_up(filter.counts + query);
          if (place >= filter.capacity) continue;
          const std::int64_t slot = std::int64_t{query} * filter.capacity + place;
          filter.scores[slot] = score;
          filter.rows[slot] = first_row + row_in_chunk(thread, j, e);
        }
      }
    }
  }
}

}  // namespace negatron

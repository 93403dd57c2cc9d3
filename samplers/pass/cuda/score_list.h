#pragma once

#include <cstdint>

#include "samplers/pass/cuda/list_scoring.h"
#include "samplers/pass/selection/host_device.h"
#include "samplers/pass/selection/packed_key.h"

namespace negatron {

/// q . n in fp64, in which products of fp32 and bf16 are exact.
NEGATRON_HOST_DEVICE double exact_score(const double* query, const std::uint16_t* row, int width) {
  double sums[2] = {0.0, 0.0};
  NEGATRON_UNROLL_BY(4)
  for (int k = 0; k < width; k += 8) {
    std::uint32_t pairs[4];
    __builtin_memcpy(pairs, __builtin_assume_aligned(row + k, 16), sizeof(pairs));
    NEGATRON_UNROLL
    for (int pair = 0; pair < 4; ++pair) {
      const std::uint32_t halves[2] = {pairs[pair] << 16, pairs[pair] & 0xffff0000u};
      NEGATRON_UNROLL
      for (int half = 0; half < 2; ++half) {
        float number = 0.0f;
        __builtin_memcpy(&number, &halves[half], sizeof(number));
        sums[half] += query[k + 2 * pair + half] * static_cast<double>(number);
      }
    }
  }
  return sums[0] + sums[1];
}

/// The key by exact score of place `place` of the list of `query`, kAfterAllKeys when nothing is there or its score in
/// the scan does not reach the bound.
NEGATRON_HOST_DEVICE void score_list(const ListScoring& lists, std::int64_t query, std::int32_t place) {
  const std::int64_t at = query * lists.capacity + place;
  std::int64_t key = kAfterAllKeys;
  if (place < lists.counts[query] && lists.scores[at] >= lists.bounds[query]) {
    const std::int64_t row = lists.listed[at];
    const double score = exact_score(lists.queries + query * lists.width, lists.rows + row * lists.width, lists.width);
    key = packed_key(static_cast<float>(score), lists.slots[row]);
  }
  lists.keys[at] = key;
}

}  // namespace negatron

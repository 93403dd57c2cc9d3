#pragma once

#include <cmath>
#include <cstdint>

#include "samplers/pass/cuda/row_weights.h"
#include "samplers/pass/cuda/slice_merge.h"

namespace negatron {

/// Column `column` of query `query`, and with column 0 the query's numbers. A query that is not finite gets NaN.
NEGATRON_HOST_DEVICE void merge_slices(const SliceMerge& merge, std::int64_t query, int column) {
  constexpr double kLn2 = 0.69314718055994531;
  float checked = 0.0f;
  for (int term = 0; term < merge.terms; ++term) {
    const auto place = [&](std::int64_t slice) { return (slice * merge.terms + term) * merge.query_count + query; };
    float reference = kNoScanReference;
    for (std::int64_t slice = 0; slice < merge.slices; ++slice) {
      reference = __builtin_fmaxf(reference, merge.references[place(slice)]);
    }
    float mass = 0.0f;
    float sum = 0.0f;
    for (std::int64_t slice = 0; slice < merge.slices; ++slice) {
      const float factor = power_of_two(merge.references[place(slice)] - reference);
      mass += factor * merge.masses[place(slice)];
      sum += factor * merge.sums[place(slice) * merge.width + column];
    }
    checked += mass;
    if (merge.gradients[term] != nullptr) {
      merge.gradients[term][query * merge.width + column] = mass == 0.0f ? 0.0f : sum * (merge.scales[term] / mass);
    }
    if (column != 0) continue;
    merge.values[term][query] =
        static_cast<float>((static_cast<double>(reference) + ::log2(static_cast<double>(mass))) * kLn2);
    if (mass == 0.0f) merge.values[term][query] = kBarredScore;
    if (merge.slopes[term] != nullptr) merge.slopes[term][query] = mass == 0.0f ? 0.0f : 1.0f;
  }
  if (column != 0 || merge.largest == nullptr) return;
  float largest = kBarredScore;
  for (std::int64_t slice = 0; slice < merge.slices; ++slice) {
    largest = __builtin_fmaxf(largest, merge.maxima[slice * merge.query_count + query]);
  }
  merge.largest[query] = checked == checked ? largest : checked;
}

}  // namespace negatron

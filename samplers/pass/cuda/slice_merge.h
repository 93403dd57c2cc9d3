#pragma once

#include <cstdint>

#include "samplers/pass/cuda/bank_scan.h"

namespace negatron {

/// What becomes of the partials of a scan, slice after slice in ascending order.
struct SliceMerge {
  std::int64_t query_count = 0;
  int width = 0;
  int terms = 0;
  std::int64_t slices = 0;
  const float* references = nullptr;  // as BankScan
  const float* masses = nullptr;
  const float* sums = nullptr;
  const float* maxima = nullptr;
  float scales[kMostScanTerms] = {};

  float* values[kMostScanTerms] = {};     // [Q] each
  float* gradients[kMostScanTerms] = {};  // [Q, d]; null where not wanted, as below
  float* slopes[kMostScanTerms] = {};     // [Q]
  float* largest = nullptr;               // [Q]
};

}  // namespace negatron

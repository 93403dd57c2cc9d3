#pragma once

#include <cstdint>

namespace negatron {

/// Which rows of the lists that a scan filled (bank_scan.h) get keys, and where: what the kernel is told.
struct ListScoring {
  const std::uint16_t* rows = nullptr;  // [n, d] bf16, 16 bytes aligned, d a multiple of 8
  const std::int64_t* slots = nullptr;  // [n]
  int width = 0;
  const double* queries = nullptr;  // [Q, d]
  std::int32_t query_count = 0;

  std::int32_t capacity = 0;
  const float* scores = nullptr;         // [Q, capacity] of the scan
  const std::int32_t* listed = nullptr;  // [Q, capacity]
  const std::int32_t* counts = nullptr;  // [Q]
  const float* bounds = nullptr;         // [Q] what the scan's scores must reach
  std::int64_t* keys = nullptr;          // [Q, capacity]
};

}  // namespace negatron

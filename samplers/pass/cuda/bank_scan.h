#pragma once

#include <cstdint>

namespace negatron {

inline constexpr int kMostScanTerms = 2;
/// Rows that a thread block takes at a time, from the first row of the bank on.
inline constexpr int kScanTileRows = 64;
/// Rows of a tile whose scores are in registers at a time: as many as a warp has lanes.
inline constexpr int kScanChunkRows = 32;

/// A query and a row that must not score with each other.
struct ScanExclusion {
  std::int32_t row = 0;
  std::int32_t query = 0;
};

/// Hands out candidates that score at least as much as their query's threshold, in no order.
struct ScanFilter {
  const float* thresholds = nullptr;  // [Q]; null for no filter
  std::int32_t capacity = 0;
  float* scores = nullptr;       // [Q, capacity]
  std::int32_t* rows = nullptr;  // [Q, capacity]
  /// [Q], 0 before. How many passed: of more than `capacity` only that many are handed out.
  std::int32_t* counts = nullptr;
};

/// One sweep over a shard on a GPU (FlashAttention-2, arXiv:2307.08691, with keys = values = rows): what the kernel is
/// told, in plain numbers and pointers, because nvcc need not read ATen. A thread block takes a block of queries
/// through a slice of the rows.
///
/// Numbers. With s the score, a row weighs 2^(x - reference), x = log2_scale s + log2(e) bias, with a whole reference
/// for each query, so that rescaling and merging only move exponents. Scores, masses and sums accumulate in fp32;
/// weights are rounded to bf16 for the sums.
struct BankScan {
  const std::uint16_t* rows = nullptr;  // [n, d] bf16, 16 bytes aligned, d a multiple of 8
  std::int32_t row_count = 0;
  int width = 0;
  const float* bias = nullptr;      // [n] log weights; null for none
  const float* validity = nullptr;  // [n] 0 or -infinity; null when all rows may score
  /// In the order of their chunks of rows, those of chunk c at [excluded_begin[c], excluded_begin[c + 1]), for all
  /// chunks of all tiles; null for none.
  const ScanExclusion* excluded = nullptr;
  const std::int32_t* excluded_begin = nullptr;

  /// [parts, Q, d] bf16: a query is the sum of its parts, 1 or 2.
  const std::uint16_t* queries = nullptr;
  std::int32_t query_count = 0;
  int parts = 1;
  const float* query_norms = nullptr;  // [Q]

  int terms = 0;
  float log2_scales[kMostScanTerms] = {};  // log2(e) scale
  std::int32_t slices = 0;
  std::int32_t tiles_a_slice = 0;

  float* references = nullptr;  // [slices, terms, Q]
  float* masses = nullptr;      // [slices, terms, Q]
  float* sums = nullptr;        // [slices, terms, Q, d]
  float* maxima = nullptr;      // [slices, Q]
  ScanFilter filter;
};

}  // namespace negatron

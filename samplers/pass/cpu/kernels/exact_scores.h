#pragma once

#include <cstdint>

#include "samplers/pass/cpu/kernels/pass_kernel.h"
#include "samplers/pass/cpu/kernels/tile_rows.h"

// Internal linkage: each source that includes this is compiled for another instruction set (see pass_kernel.h).
namespace negatron {
namespace {

constexpr std::int64_t kSums = 8;

/// Numbers of rows as fp32, exactly.
inline void widen_numbers(RowFormat format, const void* from, std::int64_t count, float* to) {
  const auto* const halves = static_cast<const Half*>(from);
  switch (format) {
    case RowFormat::kFp32:
      __builtin_memcpy(to, from, static_cast<std::size_t>(count) * sizeof(float));
      return;
    case RowFormat::kBf16:
      return widen_bf16(halves, count, reinterpret_cast<Bits*>(to));
    case RowFormat::kFp16:
      return widen_fp16(halves, count, reinterpret_cast<Word*>(to));
  }
}

/// sums += the products of kSums numbers.
template <class V, int kRows>
inline void add_products(const double* query, const float* const (&rows)[kRows],
                         typename V::Double (&sums)[kRows][kSums / V::kDoubles]) {
#pragma GCC unroll 4
  for (int p = 0; p < kSums / V::kDoubles; ++p) {
    const typename V::Double part = V::load_doubles(query + p * V::kDoubles);
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      sums[r][p] = V::multiply_add_doubles(part, V::widen_fp32(rows[r] + p * V::kDoubles), sums[r][p]);
    }
  }
}

/// scores [kRows] of listed rows, side by side so that additions need not wait for each other.
template <class V, int kRows>
inline void score_rows_exactly(const ExactScores& exact, const std::int32_t* list, double* scores) {
  const float* rows[kRows];
  typename V::Double sums[kRows][kSums / V::kDoubles];
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) {
    rows[r] = exact.rows + (list[r] - exact.first_row) * exact.width;
#pragma GCC unroll 4
    for (int p = 0; p < kSums / V::kDoubles; ++p) sums[r][p] = V::no_double();
  }
  std::int64_t i = 0;
  for (; i + kSums <= exact.width; i += kSums) {
    add_products<V, kRows>(exact.query + i, rows, sums);
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) rows[r] += kSums;
  }
  if (i < exact.width) {
    double query[kSums] = {};
    float rest[kRows][kSums] = {};
    for (std::int64_t k = i; k < exact.width; ++k) {
      query[k - i] = exact.query[k];
      for (int r = 0; r < kRows; ++r) rest[r][k - i] = rows[r][k - i];
    }
    for (int r = 0; r < kRows; ++r) rows[r] = rest[r];
    add_products<V, kRows>(query, rows, sums);
  }
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) scores[r] = V::sum_of_eight(sums[r]);
}

template <class V>
inline void score_exactly(const ExactScores& exact) {
  constexpr int kRows = 4;
  std::int64_t at = 0;
  for (; at + kRows <= exact.count; at += kRows)
    score_rows_exactly<V, kRows>(exact, exact.list + at, exact.scores + at);
  for (; at < exact.count; ++at) score_rows_exactly<V, 1>(exact, exact.list + at, exact.scores + at);
}

}  // namespace
}  // namespace negatron

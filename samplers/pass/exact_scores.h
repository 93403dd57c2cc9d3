#pragma once

#include <cstdint>

#include "samplers/pass/pass_kernel.h"
#include "samplers/pass/tile_rows.h"

// Internal linkage: each source that includes this is compiled for another instruction set (see pass_kernel.h).
namespace negatron {
namespace {

constexpr std::int64_t kSums = 8;

/// How numbers of a row become doubles: kDoubles of them, and one.
template <class V>
struct Fp32Numbers {
  static constexpr std::int64_t kBytes = sizeof(float);
  static typename V::Double widen(const char* from) { return V::widen_fp32(from); }
  static double one(const char* from) { return *reinterpret_cast<const Word*>(from); }
};
template <class V>
struct Bf16Numbers {
  static constexpr std::int64_t kBytes = sizeof(Half);
  static typename V::Double widen(const char* from) { return V::widen_bf16(from); }
  static double one(const char* from) {
    return __builtin_bit_cast(float, static_cast<std::uint32_t>(*reinterpret_cast<const Half*>(from)) << 16);
  }
};

/// scores [kRows] of rows that lie anywhere, side by side so that additions need not wait for each other.
template <class V, class Numbers, int kRows>
inline void score_rows_exactly(const double* query, const char* const (&rows)[kRows], std::int64_t width,
                               double* scores) {
  constexpr int kParts = kSums / V::kDoubles;
  typename V::Double sums[kRows][kParts];
  for (int r = 0; r < kRows; ++r) {
    for (int p = 0; p < kParts; ++p) sums[r][p] = V::no_double();
  }
  std::int64_t i = 0;
  for (; i + kSums <= width; i += kSums) {
#pragma GCC unroll 4
    for (int p = 0; p < kParts; ++p) {
      const std::int64_t at = i + p * V::kDoubles;
      const typename V::Double part = V::load_doubles(query + at);
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) {
        sums[r][p] = V::multiply_add_doubles(part, Numbers::widen(rows[r] + at * Numbers::kBytes), sums[r][p]);
      }
    }
  }
  for (int r = 0; r < kRows; ++r) {
    double s[kSums];
    for (int p = 0; p < kParts; ++p) V::store_doubles(s + p * V::kDoubles, sums[r][p]);
    for (std::int64_t k = i; k < width; ++k) s[k - i] += query[k] * Numbers::one(rows[r] + k * Numbers::kBytes);
    scores[r] = ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
  }
}

/// row_of(at, place) is row `at` of the list; `place` tells apart the rows that are needed at once.
template <class V, class Numbers, class RowOf>
inline void score_list_exactly(const ExactScores& exact, const RowOf& row_of) {
  static_assert(kExactRows == 4, "the rows that are listed here");
  std::int64_t at = 0;
  for (; at + kExactRows <= exact.count; at += kExactRows) {
    const char* const rows[kExactRows] = {row_of(at, 0), row_of(at + 1, 1), row_of(at + 2, 2), row_of(at + 3, 3)};
    score_rows_exactly<V, Numbers>(exact.query, rows, exact.width, exact.scores + at);
  }
  if (at == exact.count) return;
  // The last row once more where there are fewer.
  const std::int64_t last = exact.count - 1;
  const auto or_last = [last](std::int64_t row) { return row < last ? row : last; };
  const char* const rows[kExactRows] = {row_of(at, 0), row_of(or_last(at + 1), 1), row_of(or_last(at + 2), 2),
                                        row_of(or_last(at + 3), 3)};
  double scores[kExactRows];
  score_rows_exactly<V, Numbers>(exact.query, rows, exact.width, scores);
  for (std::int64_t i = 0; at + i < exact.count; ++i) exact.scores[at + i] = scores[i];
}

template <class V>
inline void score_exactly(const ExactScores& exact) {
  const std::int64_t row_bytes = exact.row_stride * (exact.format == RowFormat::kFp32 ? 4 : 2);
  const auto row_of = [&](std::int64_t at, std::int64_t) {
    return static_cast<const char*>(exact.rows) + exact.list[at] * row_bytes;
  };
  const auto widened = [&](std::int64_t at, std::int64_t place) {
    float* const wide = exact.workspace + place * exact.width;
    widen_fp16(reinterpret_cast<const Half*>(row_of(at, 0)), exact.width, reinterpret_cast<Word*>(wide));
    return reinterpret_cast<const char*>(wide);
  };
  switch (exact.format) {
    case RowFormat::kFp32:
      return score_list_exactly<V, Fp32Numbers<V>>(exact, row_of);
    case RowFormat::kBf16:
      return score_list_exactly<V, Bf16Numbers<V>>(exact, row_of);
    case RowFormat::kFp16:
      return score_list_exactly<V, Fp32Numbers<V>>(exact, widened);
  }
}

}  // namespace
}  // namespace negatron

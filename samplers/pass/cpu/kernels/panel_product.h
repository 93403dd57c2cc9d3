#pragma once

#include <cstdint>

// Internal linkage: each source that includes this is compiled for another instruction set (see pass_kernel.h).
namespace negatron {
namespace {

/// 32 bits of a row, wherever they lie: one fp32 number, or a pair of bf16.
using Word = float __attribute__((may_alias, aligned(2)));

/// Rows of a product that are summed at once, so that their sums fill the registers: 6 where a group is full, and more
/// where it is not, up to a cache line of fp32.
template <class V, int kVectors>
constexpr int product_rows() {
  constexpr int kFullGroup = 6;
  constexpr int kRows = kFullGroup * V::kVectors / kVectors;
  return kRows < V::kMostProductRows ? kRows : V::kMostProductRows;
}

/// A matrix of words, of which element (r, k) lies at r * row_step + k * depth_step.
struct Scalars {
  const Word* words = nullptr;
  std::int64_t row_step = 0;
  std::int64_t depth_step = 0;
};

/// sums [kRows][g] (+)= scalars [kRows][depth] . panel [depth][g], g = kVectors vectors. Each sum runs over the depth
/// in order, whatever kRows and kVectors are, and is then added to what was there: many short sums round less than one
/// long sum.
template <class Arithmetic, int kRows, int kVectors, bool kAdd>
inline void multiply_rows(Scalars scalars, const float* panel, std::int64_t depth, float* sums) {
  using V = typename Arithmetic::V;
  constexpr int kWidth = kVectors * V::kLanes;
  typename V::Float sum[kRows][kVectors];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) sum[r][v] = V::all(0.0f);
  }
  for (std::int64_t k = 0; k < depth; ++k) {
    typename V::Float column[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) column[v] = V::load(panel + k * kWidth + v * V::kLanes);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const typename V::Float scalar = V::all(scalars.words[r * scalars.row_step + k * scalars.depth_step]);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) sum[r][v] = Arithmetic::multiply_add(scalar, column[v], sum[r][v]);
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      float* to = sums + r * kWidth + v * V::kLanes;
      V::store(to, kAdd ? V::add(V::load(to), sum[r][v]) : sum[r][v]);
    }
  }
}

/// The same for `rest` rows, fewer than kRows + 1.
template <class Arithmetic, int kRows, int kVectors, bool kAdd>
inline void multiply_rest(std::int64_t rest, Scalars scalars, const float* panel, std::int64_t depth, float* sums) {
  if constexpr (kRows > 0) {
    if (rest == kRows) return multiply_rows<Arithmetic, kRows, kVectors, kAdd>(scalars, panel, depth, sums);
    multiply_rest<Arithmetic, kRows - 1, kVectors, kAdd>(rest, scalars, panel, depth, sums);
  }
}

/// The same for any number of rows.
template <class Arithmetic, int kVectors, bool kAdd>
inline void multiply_panel(std::int64_t rows, Scalars scalars, const float* panel, std::int64_t depth, float* sums) {
  constexpr int kWidth = kVectors * Arithmetic::V::kLanes;
  constexpr int kRows = product_rows<typename Arithmetic::V, kVectors>();
  for (; rows >= kRows; rows -= kRows) {
    multiply_rows<Arithmetic, kRows, kVectors, kAdd>(scalars, panel, depth, sums);
    scalars.words += kRows * scalars.row_step;
    sums += kRows * kWidth;
  }
  multiply_rest<Arithmetic, kRows - 1, kVectors, kAdd>(rows, scalars, panel, depth, sums);
}

}  // namespace
}  // namespace negatron

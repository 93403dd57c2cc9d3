#pragma once

#include <cstdint>

#include "samplers/pass/cpu/kernels/tile_rows.h"
#include "samplers/pass/cpu/kernels/vector_avx512.h"

// Internal linkage: each source that includes this is compiled for another instruction set (see pass_kernel.h).
namespace negatron {
namespace {

/// Products of pairs of bf16, summed in fp32. A word is two neighbours: of d for scores, of rows for sums.
struct PairArithmetic {
  using V = Vector;
  static constexpr int kRowsAWord = 2;
  static constexpr int kRowsAStep = 2;

  static std::int64_t words(std::int64_t width) { return (width + 1) / 2; }
  static V::Float multiply_add(V::Float scalar, V::Float column, V::Float sum) {
    return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(column), reinterpret_cast<__m512bh>(scalar));
  }
  static void store_weights(float* to, const V::Float (&weight)[2]) {
    const __m512i both = reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(weight[1], weight[0]));
    const __m512i pairs = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8,  //
                                           23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    _mm512_storeu_si512(to, _mm512_permutexvar_epi16(pairs, both));
  }
  template <int kVectors, bool kAdd>
  static void multiply(std::int64_t rows, Scalars scalars, const float* panel, std::int64_t depth, float* sums) {
    multiply_panel<PairArithmetic, kVectors, kAdd>(rows, scalars, panel, depth, sums);
  }
  static std::int64_t tile_rows_size(std::int64_t width) { return padded_rows_size(width); }
  static TileRows tile_rows(const LeafScan& leaf, std::int64_t begin, std::int64_t count, float* workspace) {
    return pair_tile_rows(leaf, begin, count, workspace);
  }
};

}  // namespace
}  // namespace negatron

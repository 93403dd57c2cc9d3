#pragma once

#include <cstdint>

#include "samplers/pass/cpu/kernels/tile_rows.h"

// Internal linkage: each source that includes this is compiled for another instruction set (see pass_kernel.h).
namespace negatron {
namespace {

/// Products of fp32 numbers. `Lanes` is the vector of an instruction set.
template <class Lanes>
struct Fp32Arithmetic {
  using V = Lanes;
  static constexpr int kRowsAWord = 1;
  static constexpr int kRowsAStep = 1;

  /// Words of a row or query of `width` numbers.
  static std::int64_t words(std::int64_t width) { return width; }
  static typename V::Float multiply_add(typename V::Float scalar, typename V::Float column, typename V::Float sum) {
    return V::multiply_add(scalar, column, sum);
  }
  static void store_weights(float* to, const typename V::Float (&weight)[1]) { V::store(to, weight[0]); }
  template <int kVectors, bool kAdd>
  static void multiply(std::int64_t rows, Scalars scalars, const float* panel, std::int64_t depth, float* sums) {
    multiply_panel<Fp32Arithmetic, kVectors, kAdd>(rows, scalars, panel, depth, sums);
  }
  static std::int64_t tile_rows_size(std::int64_t width) { return padded_rows_size(width); }
  static TileRows tile_rows(const LeafScan& leaf, std::int64_t begin, std::int64_t count, float* workspace) {
    return fp32_tile_rows(leaf, begin, count, workspace);
  }
};

}  // namespace
}  // namespace negatron

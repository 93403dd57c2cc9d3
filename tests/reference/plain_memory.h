#pragma once

#include <cstdint>
#include <vector>

#include <ATen/ATen.h>

namespace negatron::testing {

/// A memory bank on one device: row i is that of sample i. What the sharded one must be equal to.
struct PlainMemory {
  at::Tensor rows;    // [K, d] fp64
  at::Tensor labels;  // [K] int64
  at::Tensor steps;   // [K] int64
  bool is_raw = false;

  /// Random unit rows as a Bank of that seed begins with, which no step wrote.
  static PlainMemory start(std::int64_t capacity, std::int64_t width, std::uint64_t seed);
  /// The samples of one batch in its order: v <- (m v + (1 - m) f) / its length, or without the
  /// division for raw rows, the first time that a sample occurs.
  void blend(const at::Tensor& ids, const at::Tensor& features, const at::Tensor& labels, double momentum,
             std::int64_t step);
};

}  // namespace negatron::testing

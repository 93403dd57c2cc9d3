#pragma once

#include <cstdint>

#include <ATen/ATen.h>

#include "samplers/bank/row_optimizer.h"

namespace negatron::testing {

/// A learned bank on one device, differentiated by autograd. What the sharded one must be equal to.
struct PlainLearned {
  at::Tensor raw;       // [K, d] fp64
  at::Tensor velocity;  // [K, d]

  /// Random unit rows at rest, as a Bank of that seed begins with.
  static PlainLearned start(std::int64_t capacity, std::int64_t width, std::uint64_t seed);
  /// [K, d] what scores.
  at::Tensor rows() const { return raw / raw.norm(2, {1}, true); }
  /// The mean over queries of -log of the positive's probability among itself and all rows, at temperature tau.
  /// queries [Bg, d], positives [Bg].
  static at::Tensor loss(const at::Tensor& raw, const at::Tensor& queries, const at::Tensor& positive, double tau);
  /// v <- m v - g + wd w, w <- w - rate v with the gradient g of that loss: it rises.
  void step(const at::Tensor& queries, const at::Tensor& positive, double tau, const RowOptimizer& sgd);
};

}  // namespace negatron::testing

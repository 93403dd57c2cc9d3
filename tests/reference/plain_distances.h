#pragma once

#include <cstdint>

#include <ATen/ATen.h>

#include "samplers/bank/row_optimizer.h"

namespace negatron::testing {

/// Vectors on one device that are scored by distances, written out as distances: no inner product and no further
/// number. What a bank of distances must be equal to.
struct PlainDistances {
  at::Tensor vectors;   // [K, d] fp64
  at::Tensor velocity;  // [K, d]

  /// Random unit vectors at rest, as a Bank of that seed begins with.
  static PlainDistances start(std::int64_t capacity, std::int64_t width, std::uint64_t seed);
  /// [b, K] -|q - n|^2 / 2, of queries [b, d] and rows [K, d]. Gradient goes to both.
  static at::Tensor scores(const at::Tensor& queries, const at::Tensor& rows);
  /// The mean over queries of -log of the positive's probability among itself and all rows, at temperature tau.
  /// queries, keys [b, d]; left_out [b, K] bool, rows that do not count, undefined for none.
  static at::Tensor loss(const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& rows, double tau,
                         const at::Tensor& left_out = {});
  /// The same where the positive of a query is one of the rows, ids [b].
  static at::Tensor loss_of_own(const at::Tensor& queries, const at::Tensor& rows, const at::Tensor& ids, double tau);
  /// v <- m v + g + wd n, n <- n - rate v with the gradient g of a loss by the vectors, negated where they raise it.
  void step(const at::Tensor& gradient, const RowOptimizer& sgd);
};

}  // namespace negatron::testing

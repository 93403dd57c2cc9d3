#pragma once

#include <map>
#include <string>

#include <ATen/ATen.h>

#include "samplers/bank/gradient_of_rows.h"
#include "samplers/exchange/negative_result.h"

namespace negatron {

/// Scalars are sums over this rank's anchors unless said otherwise.
struct ContrastOutput {
  /// This rank's part of the global loss, with gradient: its sum over ranks is the loss, and the sum over ranks of the
  /// gradients with respect to parameters is the gradient of the loss, exactly, also for ragged batches.
  at::Tensor loss;
  at::Tensor per_anchor;           // [A] without gradient
  at::Tensor positive_similarity;  // s+ over own queries
  /// Over own queries: the mean score of the negatives as the first term's softmax weights them; 0 when there is none.
  at::Tensor negative_similarity;
  /// Queries whose positive is strictly more similar than every real negative (proxy-task accuracy,
  /// GRADIENT.md 7).
  at::Tensor correct;
  std::map<std::string, at::Tensor> metrics;
  /// Where rows learn, of the loss that they raise or follow, over all ranks' queries, by this rank's rows as they
  /// score; without what arrives in rows that are positives. Undefined for other rows.
  GradientOfRows row_gradient;
  /// What the bank gave; empty without one.
  NegativeResult negatives;
};

}  // namespace negatron

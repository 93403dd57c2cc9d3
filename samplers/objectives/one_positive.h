#pragma once

#include <ATen/ATen.h>

namespace negatron {

/// Softmax of one positive against negatives, per query (algorithms.md 2.1). Local.
struct OnePositive {
  at::Tensor loss;   // [b] L = softplus(l - c s+)
  at::Tensor miss;   // [b] pi = sigmoid(l - c s+): the probability of all negatives together
  at::Tensor total;  // [b] log(exp(l) + exp(c s+))
};

/// negatives [b]: l, -infinity for none (then the loss is 0); positives [b]: s+.
OnePositive one_positive(const at::Tensor& negatives, const at::Tensor& positives, double scale);

}  // namespace negatron

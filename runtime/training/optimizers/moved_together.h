#pragma once

#include <vector>

#include <ATen/ATen.h>

namespace negatron {

/// The tensors in lists that move in one call: on a GPU all of one type, so that a step is a few kernels; on a CPU each
/// by itself, while it is in the cache.
std::vector<std::vector<at::Tensor>> moved_together(const std::vector<at::Tensor>& tensors);

/// Trained tensors that have a gradient, and it.
struct Moving {
  std::vector<at::Tensor> parameters;
  std::vector<at::Tensor> gradients;

  static Moving of(const std::vector<at::Tensor>& tensors);
};

}  // namespace negatron

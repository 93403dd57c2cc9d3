#pragma once

#include <memory>
#include <vector>

#include <torch/nn/module.h>
#include <torch/optim/sgd.h>

namespace negatron {

struct SgdOptions {
  double momentum = 0.9;
  /// Applied to matrices and convolution kernels only.
  double weight_decay = 1e-4;
  bool nesterov = false;

  /// Throws std::invalid_argument in a sentence that names the flag.
  void validate() const;
};

/// SGD over two groups: parameters of `module` with two or more dimensions are decayed; norms and biases (one
/// dimension) and every one of `others` (a learned temperature, say) are not. The learning rate is 0 until
/// `set_learning_rate`.
std::unique_ptr<torch::optim::SGD> make_sgd(const torch::nn::Module& module, const std::vector<torch::Tensor>& others,
                                            const SgdOptions& options);
/// Sets the rate of all groups, before each step.
void set_learning_rate(torch::optim::Optimizer& optimizer, double learning_rate);

}  // namespace negatron

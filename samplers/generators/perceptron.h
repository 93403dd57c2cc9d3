#pragma once

#include <cstdint>
#include <vector>

#include <ATen/ATen.h>

namespace negatron {

/// Linear layers with leaky ReLUs between them, and rows of length 1 at the end. It begins with numbers that are
/// functions of the seed alone.
class Perceptron {
 public:
  /// `widths` from the input to the output, two or more.
  Perceptron(const std::vector<std::int64_t>& widths, at::TensorOptions options, std::uint64_t seed);

  /// [..., first width] -> [..., last width]. Local.
  at::Tensor forward(const at::Tensor& input) const;
  /// Of each layer the weight [out, in] and the bias [out].
  const std::vector<at::Tensor>& parameters() const noexcept { return parameters_; }

 private:
  std::vector<at::Tensor> parameters_;
};

}  // namespace negatron

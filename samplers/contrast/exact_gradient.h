#pragma once

#include <vector>

#include <ATen/ATen.h>

namespace negatron {

/// Gradients of a scalar with respect to inputs, in their order; zeros for what it does not depend on. Local.
std::vector<at::Tensor> gradients_of(const at::Tensor& value, const std::vector<at::Tensor>& inputs);

/// An input of a loss and the gradient of the loss with respect to it, known in closed form.
struct KnownGradient {
  at::Tensor input;
  at::Tensor gradient;
};

/// A scalar that holds `value` and whose backward gives each input its known gradient, times what arrives. The forward
/// pass over the bank yields value and gradient together, so nothing is kept for a backward sweep. Inputs that take no
/// gradient are passed over; a gradient of a gradient is not defined and throws. Local.
at::Tensor with_known_gradients(const at::Tensor& value, const std::vector<KnownGradient>& gradients);

}  // namespace negatron

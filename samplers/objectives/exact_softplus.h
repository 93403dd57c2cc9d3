#pragma once

#include <ATen/ATen.h>

namespace negatron {

/// log(1 + exp(x)) elementwise with its gradient: exact in fp64, 0 with gradient 0 at -infinity. Local.
at::Tensor exact_softplus(const at::Tensor& x);

}  // namespace negatron

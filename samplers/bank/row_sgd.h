#pragma once

#include <ATen/ATen.h>

namespace negatron {

/// How the rows of a learned bank are trained: stochastic gradient ascent with momentum, as AdCo's (Hu et al., CVPR
/// 2021) rows are. With the gradient g of a loss by the raw rows w,
///
///     v <- momentum v - g + weight_decay w,     w <- w - rate v
///
/// so that the loss rises while the decay pulls rows towards 0.
struct RowSgd {
  double rate = 3.0;
  double momentum = 0.9;
  double weight_decay = 1e-4;
};

/// One such step of raw rows [n, d] with velocities [n, d], in place; gradient [n, d] by the raw rows. Local.
void raise(const RowSgd& optimizer, const at::Tensor& raw, const at::Tensor& velocity, const at::Tensor& gradient);

}  // namespace negatron

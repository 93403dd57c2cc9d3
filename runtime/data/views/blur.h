#pragma once

#include <span>

#include <ATen/ATen.h>

#include "runtime/data/view_parameters.h"

namespace negatron {

/// Gaussian blur of the views that were drawn, [n, C, H, W] float, in place, with the border repeated outwards. Weights
/// reach three times `largest_sigma`, the largest sigma that could be drawn, and sum to 1. Views must be contiguous.
/// Local.
void blur(at::Tensor& views, std::span<const ViewParameters> parameters, double largest_sigma);

}  // namespace negatron

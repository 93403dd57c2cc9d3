#pragma once

#include <span>
#include <vector>

#include <ATen/ATen.h>

#include "runtime/data/view_parameters.h"

namespace negatron {

/// Gaussian blur of the views that were drawn, [n, C, H, W] float, in place, with the border repeated outwards. Weights
/// reach three times `largest_sigma`, the largest sigma that could be drawn, and sum to 1. Views must be contiguous.
/// Local.
void blur(at::Tensor& views, std::span<const ViewParameters> parameters, double largest_sigma);

/// The weights of a blur, which sum to 1; the pixel itself has the middle one. Local.
std::vector<double> blur_weights(double sigma, double largest_sigma);

}  // namespace negatron

#pragma once

#include <span>

#include <ATen/ATen.h>

#include "runtime/data/view_parameters.h"

namespace negatron {

/// Sets the drawn rectangles of views [n, C, H, W] float to 0, in place. A pixel is erased when its middle lies in the
/// rectangle. Local.
void erase(at::Tensor& views, std::span<const ViewParameters> parameters);

}  // namespace negatron

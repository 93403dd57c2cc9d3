#pragma once

#include <ATen/ATen.h>

#include "runtime/data/view_parameters.h"

namespace negatron {

// colour_kernel.h's changes of colour by LibTorch's operators. views [n, 3, H, W] float in 0..1, on any device; factors
// and turns [n, 1, 1, 1] float beside them. Local.

/// What `what` makes of them with its factors, or for the hue with turns.
at::Tensor changed_colours(const at::Tensor& views, ColourChange what, const at::Tensor& factors);

/// Grey in all channels.
at::Tensor greyed(const at::Tensor& views);

/// Any channels: inverted where bright.
at::Tensor solarised(const at::Tensor& views);

}  // namespace negatron

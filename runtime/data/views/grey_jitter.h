#pragma once

#include <span>

#include <ATen/ATen.h>

#include "runtime/data/augmentation.h"
#include "runtime/data/view_parameters.h"

namespace negatron {

/// Brightness and then contrast of grey views [n, C, H, W] in 0..1, in place: x <- b x, then x <- m + c (x - m) with
/// the view's mean m, each cut to 0..1. Local.
void change_brightness_and_contrast(at::Tensor& views, std::span<const ViewParameters> parameters,
                                    const AugmentationOptions& options);

}  // namespace negatron

#pragma once

#include <span>

#include <ATen/ATen.h>

#include "runtime/data/augmentation.h"
#include "runtime/data/device_views/padded_images.h"
#include "runtime/data/view_format.h"
#include "runtime/data/view_parameters.h"

namespace negatron {

/// make_views() by LibTorch's operators, on whatever device the images are: the views that were drawn, to the rounding
/// of other sums. parameters: n, whose crops are shares of the images; options: what they were drawn from. Returns
/// [n, C, H, W] float there. Which images are given together may change last bits. Local.
at::Tensor make_tensor_views(const PaddedImages& images, std::span<const ViewParameters> parameters,
                             const AugmentationOptions& options, const ViewFormat& format);

}  // namespace negatron

#pragma once

#include <ATen/ATen.h>

#include "runtime/data/view_parameters.h"

namespace negatron {

/// One crop, averaged under triangles (see take_crops) along the columns and then along the rows.
/// image [C, h, w] uint8 -> view [C, H, W] float, contiguous, in 0..255. On the host. Local.
void average_crop(const at::Tensor& image, const CropBox& crop, at::Tensor& view);

}  // namespace negatron

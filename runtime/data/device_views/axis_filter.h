#pragma once

#include <cstdint>
#include <span>

#include <ATen/ATen.h>

#include "runtime/data/device_views/padded_images.h"
#include "runtime/data/view_parameters.h"

namespace negatron {

/// What each pixel of a view is made of, along either axis: a matrix of weights that sum to 1 over the inputs.
struct AxisFilters {
  at::Tensor rows;     // [n, H, h] float
  at::Tensor columns;  // [n, W, w] float
};

/// Of crops that are stretched or shrunk to `view`, under the triangles of take_crops(). parameters: n, one for each
/// image. On the device of the images, for pixels as they are padded. Local.
AxisFilters crop_filters(const PaddedImages& images, std::span<const ViewParameters> parameters, const ImageSize& view);

/// Of Gaussian blurs as blur() has them, the border repeated outwards. parameters: n that are all blurred. Local.
AxisFilters blur_filters(std::span<const ViewParameters> parameters, double largest_sigma, const ImageSize& view,
                         at::Device device);

/// pixels [n, C, h, w] float -> [n, C, H, W] float. Local.
at::Tensor apply_filters(const AxisFilters& filters, const at::Tensor& pixels);

}  // namespace negatron

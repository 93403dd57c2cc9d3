#pragma once

#include <span>

#include <ATen/ATen.h>

#include "comm/share.h"
#include "runtime/data/decoded_images.h"
#include "runtime/data/view_parameters.h"

namespace negatron {

/// The crops of the images `rows`, stretched or shrunk to the size of `views` [n, C, H, W] float, into which they are
/// written, in 0..255. parameters: n.
///
/// Along each axis a pixel of the view is the mean of the image under a triangle around its place, which reaches as far
/// as the view's pixels are apart and at least as far as the image's: PIL's and torchvision's bilinear filter with
/// antialiasing, here for crops at fractions of a pixel. Where nothing shrinks that is bilinear sampling. Places
/// outside the image do not count. Local.
void take_crops(const DecodedImages& images, Range rows, std::span<const ViewParameters> parameters, at::Tensor& views);

}  // namespace negatron

#pragma once

#include <vector>

#include <ATen/ATen.h>

#include "runtime/data/augmentation.h"
#include "runtime/data/decoded_images.h"
#include "runtime/data/view_format.h"
#include "runtime/data/view_parameters.h"

namespace negatron {

/// The second half of augment(), for who decodes no more of an image than its crop needs: the views that were drawn.
///
/// images: b of C channels, of any sizes, on the host. parameters: b; their crops are shares of these images, so that
/// of a part of an image they are those of the part. options: what was drawn from. Returns [b, C, H, W] float on the
/// host. Local. Throws std::invalid_argument when there are not as many parameters as images, or when an image is
/// elsewhere.
at::Tensor make_views(const DecodedImages& images, const std::vector<ViewParameters>& parameters,
                      const AugmentationOptions& options, const ViewFormat& format);

}  // namespace negatron

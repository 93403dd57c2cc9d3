#pragma once

#include <cstdint>
#include <span>

#include <ATen/ATen.h>

#include "runtime/data/augmentation.h"
#include "runtime/data/decoded_images.h"
#include "runtime/data/view_format.h"
#include "runtime/data/view_parameters.h"

namespace negatron {

/// The second half of augment(), for who decodes no more of an image than its crop needs: the views that were drawn.
///
/// images: b of C channels, of any sizes, on the host. parameters: b; their crops are shares of these images, so that
/// of a part of an image they are those of the part. options: what was drawn from. They are written into `views`
/// [b, C, H, W] float, contiguous, on the host. Local. Throws std::invalid_argument when there are not as many
/// parameters or views as images, or when an image is elsewhere.
void make_views(const DecodedImages& images, std::span<const ViewParameters> parameters,
                const AugmentationOptions& options, const Normalization& normalization, at::Tensor& views);

/// How many views of so many channels and that size are best made together: as many as stay in a core's cache. Of
/// 28 x 28 grey ones that are 83, and of 224 x 224 colours each is made alone. Local.
std::int64_t views_together(std::int64_t channels, const ImageSize& size);

}  // namespace negatron

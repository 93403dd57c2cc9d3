#pragma once

#include <ATen/ATen.h>

#include "runtime/data/augmentation.h"
#include "runtime/data/decoded_images.h"
#include "runtime/data/normalization.h"

namespace negatron {

/// One random view of each sample of features: x <- (x - mean) / deviation; x <- x + noise * n, n standard normal; x <-
/// 0 with the probability of dropout. What is drawn depends on (seed, epoch, sample, view) alone, and noise and dropout
/// have streams of their own, so that each stays what it is without the other.
///
/// features: b of F; ids: [b] int64, sample numbers in the data set. Returns [b, F, 1, 1] float on the host; the
/// arithmetic is in fp64. Local. Throws std::invalid_argument for a view that is not 0 or 1.
at::Tensor feature_views(const DecodedImages& features, const at::Tensor& ids, const ViewNumber& number,
                         const AugmentationOptions& options, const Normalization& normalization);

}  // namespace negatron

#pragma once

#include <cstdint>
#include <functional>

#include <ATen/ATen.h>

#include "runtime/data/normalization.h"

namespace negatron {

/// [b, C, H, W] float on the host, normalised -> [b, D] features, any float dtype and device, any length. The function
/// moves its input to its own device and puts its module into evaluation mode.
using FeatureFunction = std::function<at::Tensor(const at::Tensor&)>;

/// Runs `function` over `inputs` [n, C, H, W] float in batches, without gradient. Returns [n, D] fp32 unit rows on the
/// device of the function's output. Local. Throws std::invalid_argument when n is 0: no one knows D then.
at::Tensor feature_rows(const FeatureFunction& function, const at::Tensor& inputs, std::int64_t batch);

/// The same of images [n, C, H, W] uint8, normalised batch by batch and not augmented.
at::Tensor extract_features(const FeatureFunction& function, const at::Tensor& images,
                            const Normalization& normalization, std::int64_t batch);

/// What no learning gives: the normalised pixels as [n, C*H*W] fp32 unit rows. Local. The mean matters: similarities of
/// centred pixels are correlations (kNN on Fashion-MNIST 81.8%, on pixels that are not centred 78.9%).
at::Tensor pixel_features(const at::Tensor& images, const Normalization& normalization);

}  // namespace negatron

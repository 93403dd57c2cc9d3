#pragma once

#include <cstdint>
#include <functional>

#include <ATen/ATen.h>

#include "comm/share.h"
#include "runtime/data/image_source.h"
#include "runtime/data/view_format.h"
#include "samplers/bank/row_length.h"

namespace negatron {

/// [b, C, H, W] float on the host, normalised -> [b, D] features, any float dtype and device, any length. The function
/// moves its input to its own device and puts its module into evaluation mode.
using FeatureFunction = std::function<at::Tensor(const at::Tensor&)>;

/// The inputs of `range` [b, C, H, W] float on the host, normalised.
using InputFunction = std::function<at::Tensor(const Range& range)>;

/// What no learning gives: the pixels themselves as features [b, C*H*W]. That they are normalised matters: similarities
/// of centred pixels are correlations (kNN on Fashion-MNIST 81.8%, on pixels that are not centred 78.9%).
at::Tensor pixels_as_features(const at::Tensor& views);

/// rows [n, D] of any length -> fp32 rows of length 1; one of no length stays as it is.
at::Tensor unit_rows(const at::Tensor& rows);

/// Runs `function` over inputs 0 to count - 1, which are made batch by batch, without gradient. Returns [count, D] fp32
/// rows on the device of the function's output, of length 1, as neighbours are looked for, or of that of the output.
/// Local. Throws std::invalid_argument when count is 0: no one knows D then.
at::Tensor feature_rows(const FeatureFunction& function, const InputFunction& inputs, std::int64_t count,
                        std::int64_t batch, RowLength length = RowLength::kUnit);

/// Some images, [m, C, H, W] of them made as views, and their numbers in the source.
using MakeInputs = std::function<at::Tensor(const DecodedImages& images, const at::Tensor& ids)>;

/// make(...) of the images `ids` [n] int64 as [n, C, H, W], n at least 1, with no more than loaded_together() of them
/// decoded at a time.
at::Tensor inputs_of(const ImageSource& images, const at::Tensor& ids, const MakeInputs& make);

/// feature_rows() of the images `ids` [n] int64 of a source, whole and not augmented.
at::Tensor extract_features(const FeatureFunction& function, const ImageSource& images, const at::Tensor& ids,
                            const ViewFormat& format, std::int64_t batch, RowLength length = RowLength::kUnit);

}  // namespace negatron

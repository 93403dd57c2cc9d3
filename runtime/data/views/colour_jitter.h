#pragma once

#include <cstdint>
#include <span>

#include <ATen/ATen.h>

#include "runtime/data/view_parameters.h"

namespace negatron {

/// Of a colour image.
inline constexpr std::int64_t kColourChannels = 3;

/// Brightness, contrast, saturation and hue of colour views [n, 3, H, W] in 0..1 in the drawn order, and then grey, in
/// place: torchvision's ColorJitter and RandomGrayscale, in floating point. Views must be contiguous. Local.
void change_colours(at::Tensor& views, std::span<const ViewParameters> parameters);

/// Inverts what is bright in the views that were drawn, [n, C, H, W] in 0..1, in place. Views must be contiguous.
/// Local.
void solarise_views(at::Tensor& views, std::span<const ViewParameters> parameters);

}  // namespace negatron

#pragma once

#include <string>
#include <string_view>

#include "runtime/data/normalization.h"

namespace negatron {

/// Mean and deviation of the pixels of ImageNet's training images, as torchvision's weights expect them.
const Normalization& imagenet_normalization();

/// "means;deviations", each channel's behind a comma: "0.485,0.456,0.406;0.229,0.224,0.225". Reads back to the same
/// numbers. Local.
std::string normalization_text(const Normalization& normalization);

/// Of such a text. Throws std::invalid_argument, in words that follow "takes". Local.
Normalization parse_normalization(std::string_view text);

}  // namespace negatron

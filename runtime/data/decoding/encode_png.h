#pragma once

#include <string>

#include <ATen/ATen.h>

namespace negatron {

/// image [C, H, W] uint8 on the host, grey (1) or colour (3) -> the bytes of a PNG file. Local. Throws
/// std::invalid_argument for another shape or type.
std::string encode_png(const at::Tensor& image);

}  // namespace negatron

#pragma once

#include "runtime/encoders/resnet.h"

namespace negatron::testing {

/// [n] fp64 in [-1, 1), hashed from their place and `stream`: easy to repeat elsewhere.
inline at::Tensor hashed(std::int64_t n, std::int64_t stream) {
  const at::Tensor numbers =
      at::sin((at::arange(n, at::kDouble) + 1.0) * 12.9898 + static_cast<double>(stream) * 78.233) * 43758.5453;
  return 2.0 * (numbers - numbers.floor()) - 1.0;
}

/// A network for images of one channel and few positions.
inline ResNetOptions small_images(std::int64_t depth = 18) {
  return {.input_channels = 1, .depth = depth, .stem = ResNetOptions::Stem::kCifar};
}

}  // namespace negatron::testing

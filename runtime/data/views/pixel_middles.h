#pragma once

#include <cstdint>

#include <ATen/ATen.h>

namespace negatron {

/// Middles of `count` pixels as shares of the side: [count] float on the host. Of 4 they are 1/8, 3/8, 5/8 and 7/8.
inline at::Tensor pixel_middles(std::int64_t count) {
  return at::arange(count, at::kFloat).add_(0.5).div_(static_cast<double>(count));
}

}  // namespace negatron

#pragma once

#include <cstdint>

namespace negatron {

/// The bits of a bfloat16.
struct Bf16Bits {
  std::uint16_t bits;
};

/// Maps of one image, position by position: [positions, channels].
struct ImageShape {
  std::int64_t positions;
  std::int64_t channels;
  std::int64_t groups;
};

/// One image through group norm and ReLU, for a host. `T` is float or Bf16Bits; sums and everything per channel or
/// group are float. `scratch` holds 3 * channels numbers. The vector code is the best that the machine has.
///
///   y = max(0, weight * (x - mean) * inverse + bias),   inverse = 1 / sqrt(variance + 1e-5)
///
/// x, y: [positions, channels]; mean, inverse: [groups], results. What is not a number stays none.
void group_norm_relu(const ImageShape& shape, const float* x, const float* weight, const float* bias, float* y,
                     float* mean, float* inverse, float* scratch);
void group_norm_relu(const ImageShape& shape, const Bf16Bits* x, const float* weight, const float* bias, Bf16Bits* y,
                     float* mean, float* inverse, float* scratch);

/// Its backward: by_y, by_x: [positions, channels]; by_weight, by_bias: [channels], of this image.
void group_norm_relu_backward(const ImageShape& shape, const float* by_y, const float* x, const float* y,
                              const float* weight, const float* mean, const float* inverse, float* by_x,
                              float* by_weight, float* by_bias, float* scratch);
void group_norm_relu_backward(const ImageShape& shape, const Bf16Bits* by_y, const Bf16Bits* x, const Bf16Bits* y,
                              const float* weight, const float* mean, const float* inverse, Bf16Bits* by_x,
                              float* by_weight, float* by_bias, float* scratch);

}  // namespace negatron

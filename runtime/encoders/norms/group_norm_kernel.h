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

/// One image and what becomes of it: x, y [positions, channels]; weight, bias [channels]; mean, inverse [groups]. y,
/// mean and inverse are results.
template <typename T>
struct GroupNormForward {
  const T* x;
  const float* weight;
  const float* bias;
  T* y;
  float* mean;
  float* inverse;
};

/// The same image on the way back: by_y, x, y, by_x [positions, channels]; by_weight, by_bias [channels], of this
/// image. The last three are results, the others as the way forward left them.
template <typename T>
struct GroupNormBackward {
  const T* by_y;
  const T* x;
  const T* y;
  const float* weight;
  const float* mean;
  const float* inverse;
  T* by_x;
  float* by_weight;
  float* by_bias;
};

/// One image through group norm and ReLU, for a host. Maps are float or Bf16Bits; sums and everything per channel or
/// group are float. `scratch` holds 3 * channels numbers. The vector code is the best that the machine has.
///
///   y = max(0, weight * (x - mean) * inverse + bias),   inverse = 1 / sqrt(variance + 1e-5)
///
/// What is not a number stays none.
void group_norm_relu(const ImageShape& shape, const GroupNormForward<float>& image, float* scratch);
void group_norm_relu(const ImageShape& shape, const GroupNormForward<Bf16Bits>& image, float* scratch);

/// Its backward: the gradients of a loss with respect to x, weight and bias, from that with respect to y.
void group_norm_relu_backward(const ImageShape& shape, const GroupNormBackward<float>& image, float* scratch);
void group_norm_relu_backward(const ImageShape& shape, const GroupNormBackward<Bf16Bits>& image, float* scratch);

}  // namespace negatron

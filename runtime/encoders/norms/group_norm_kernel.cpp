#include "runtime/encoders/norms/group_norm_kernel.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "samplers/cpu/vector_code.h"

namespace negatron {
namespace {

constexpr float kEpsilon = 1e-5F;

NEGATRON_IN_VECTOR_CODE float load(float value) {
  return value;
}

NEGATRON_IN_VECTOR_CODE float load(Bf16Bits value) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(value.bits) << 16U);
}

NEGATRON_IN_VECTOR_CODE void store(float value, float& target) {
  target = value;
}

/// To the nearest, ties to even.
NEGATRON_IN_VECTOR_CODE void store(float value, Bf16Bits& target) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t rounded = (bits + 0x7fffU + ((bits >> 16U) & 1U)) >> 16U;
  constexpr std::uint32_t kNotANumber = 0x7fc0;
  target.bits = static_cast<std::uint16_t>(value == value ? rounded : kNotANumber);
}

/// Of values and not of places: a load that depends on a comparison cannot become vector code.
NEGATRON_IN_VECTOR_CODE float behind_relu(float arriving, float output) {
  return output <= 0.0F ? 0.0F : arriving;
}

// Three sweeps over an image that lies in the cache: its means, the variances around them, and the values themselves.
// What is per channel is widened from groups first, so that the inner loops run over channels alone and become vector
// code. With 4 channels in 2 groups and means (5, 7) of the groups, `centre` is (5, 5, 7, 7).
template <typename T>
NEGATRON_IN_VECTOR_CODE void forward(const ImageShape& shape, const GroupNormForward<T>& image,
                                     float* __restrict scratch) {
  // Named here once more, because only a pointer of its own can promise that nothing else writes where it points.
  const T* __restrict x = image.x;
  const float* __restrict weight = image.weight;
  const float* __restrict bias = image.bias;
  T* __restrict y = image.y;
  float* __restrict mean = image.mean;
  float* __restrict inverse = image.inverse;
  const std::int64_t channels = shape.channels;
  const std::int64_t width = channels / shape.groups;
  const auto count = static_cast<float>(shape.positions * width);
  float* __restrict sums = scratch;
  float* __restrict centre = scratch + channels;
  std::fill_n(sums, channels, 0.0F);
  for (std::int64_t p = 0; p < shape.positions; ++p) {
    const T* __restrict row = x + p * channels;
    for (std::int64_t c = 0; c < channels; ++c) sums[c] += load(row[c]);
  }
  for (std::int64_t g = 0; g < shape.groups; ++g) {
    float sum = 0.0F;
    for (std::int64_t c = g * width; c < (g + 1) * width; ++c) sum += sums[c];
    mean[g] = sum / count;
    std::fill_n(centre + g * width, width, mean[g]);
  }
  // Around the mean, and not mean of squares minus square of the mean, which cancels.
  std::fill_n(sums, channels, 0.0F);
  for (std::int64_t p = 0; p < shape.positions; ++p) {
    const T* __restrict row = x + p * channels;
    for (std::int64_t c = 0; c < channels; ++c) {
      const float distance = load(row[c]) - centre[c];
      sums[c] += distance * distance;
    }
  }
  float* scale = sums;
  float* shift = centre;
  for (std::int64_t g = 0; g < shape.groups; ++g) {
    float sum = 0.0F;
    for (std::int64_t c = g * width; c < (g + 1) * width; ++c) sum += sums[c];
    inverse[g] = 1.0F / std::sqrt(sum / count + kEpsilon);
    for (std::int64_t c = g * width; c < (g + 1) * width; ++c) {
      scale[c] = weight[c] * inverse[g];
      shift[c] = bias[c] - scale[c] * mean[g];
    }
  }
  for (std::int64_t p = 0; p < shape.positions; ++p) {
    const T* __restrict row = x + p * channels;
    T* __restrict out = y + p * channels;
    for (std::int64_t c = 0; c < channels; ++c) {
      const float value = load(row[c]) * scale[c] + shift[c];
      store(value < 0.0F ? 0.0F : value, out[c]);
    }
  }
}

// Two sweeps: what the parameters receive is also what mean and variance need, and with it the gradient of every value
// is linear in the value itself and in what arrives there.
template <typename T>
NEGATRON_IN_VECTOR_CODE void backward(const ImageShape& shape, const GroupNormBackward<T>& image,
                                      float* __restrict scratch) {
  const T* __restrict by_y = image.by_y;
  const T* __restrict x = image.x;
  const T* __restrict y = image.y;
  const float* __restrict weight = image.weight;
  const float* __restrict mean = image.mean;
  const float* __restrict inverse = image.inverse;
  T* __restrict by_x = image.by_x;
  float* __restrict by_weight = image.by_weight;
  float* __restrict by_bias = image.by_bias;
  const std::int64_t channels = shape.channels;
  const std::int64_t width = channels / shape.groups;
  const float share = 1.0F / static_cast<float>(shape.positions * width);
  std::fill_n(by_weight, channels, 0.0F);
  std::fill_n(by_bias, channels, 0.0F);
  float* __restrict scale = scratch;
  float* slopes = scratch + channels;
  float* __restrict offsets = scratch + 2 * channels;
  float* centre = slopes;
  for (std::int64_t c = 0; c < channels; ++c) centre[c] = mean[c / width];
  for (std::int64_t p = 0; p < shape.positions; ++p) {
    const std::int64_t begin = p * channels;
    for (std::int64_t c = 0; c < channels; ++c) {
      const float arriving = behind_relu(load(by_y[begin + c]), load(y[begin + c]));
      by_bias[c] += arriving;
      by_weight[c] += arriving * (load(x[begin + c]) - centre[c]);
    }
  }
  for (std::int64_t g = 0; g < shape.groups; ++g) {
    // Every value of a group moves its mean and variance, and through them all values of the group.
    float through_mean = 0.0F;
    float through_variance = 0.0F;
    for (std::int64_t c = g * width; c < (g + 1) * width; ++c) {
      by_weight[c] *= inverse[g];
      through_mean += weight[c] * by_bias[c];
      through_variance += weight[c] * by_weight[c];
      scale[c] = weight[c] * inverse[g];
    }
    const float slope = -through_variance * inverse[g] * inverse[g] * share;
    const float offset = -through_mean * inverse[g] * share - slope * mean[g];
    std::fill_n(slopes + g * width, width, slope);
    std::fill_n(offsets + g * width, width, offset);
  }
  for (std::int64_t p = 0; p < shape.positions; ++p) {
    const std::int64_t begin = p * channels;
    for (std::int64_t c = 0; c < channels; ++c) {
      const float arriving = behind_relu(load(by_y[begin + c]), load(y[begin + c]));
      store(scale[c] * arriving + slopes[c] * load(x[begin + c]) + offsets[c], by_x[begin + c]);
    }
  }
}

}  // namespace

NEGATRON_VECTOR_CODE void group_norm_relu(const ImageShape& shape, const GroupNormForward<float>& image,
                                          float* scratch) {
  forward(shape, image, scratch);
}

NEGATRON_VECTOR_CODE void group_norm_relu(const ImageShape& shape, const GroupNormForward<Bf16Bits>& image,
                                          float* scratch) {
  forward(shape, image, scratch);
}

NEGATRON_VECTOR_CODE void group_norm_relu_backward(const ImageShape& shape, const GroupNormBackward<float>& image,
                                                   float* scratch) {
  backward(shape, image, scratch);
}

NEGATRON_VECTOR_CODE void group_norm_relu_backward(const ImageShape& shape, const GroupNormBackward<Bf16Bits>& image,
                                                   float* scratch) {
  backward(shape, image, scratch);
}

}  // namespace negatron

#pragma once

#include <ATen/ATen.h>

namespace negatron {

/// The brightest value of a pixel.
inline constexpr double kByteMax = 255.0;

/// How bytes become the encoder's input: x = (byte / 255 - mean) / deviation. One pair for all channels.
struct Normalization {
  double mean = 0.0;
  double deviation = 1.0;

  /// Mean and standard deviation of all pixels of `images` (uint8, any shape), in units of byte / 255. Local.
  static Normalization measure(const at::Tensor& images);
  /// Throws std::invalid_argument unless both are finite and the deviation is positive.
  void validate() const;
  /// uint8 -> float of the same shape.
  at::Tensor apply(const at::Tensor& images) const;
};

}  // namespace negatron

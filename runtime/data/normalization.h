#pragma once

#include <cstdint>
#include <vector>

#include <ATen/ATen.h>

#include "runtime/data/image_source.h"

namespace negatron {

/// The brightest value of a pixel.
inline constexpr double kByteMax = 255.0;

/// How bytes become the encoder's input, channel by channel: x = (byte / 255 - mean) / deviation. One pair serves all
/// channels, or each channel has its own.
class Normalization {
 public:
  /// Mean 0 and deviation 1: bytes / 255.
  Normalization() = default;
  /// The same for every channel.
  Normalization(double mean, double deviation) : mean_{mean}, deviation_{deviation} {}
  /// Of each channel.
  Normalization(std::vector<double> mean, std::vector<double> deviation)
      : mean_(std::move(mean)), deviation_(std::move(deviation)) {}

  /// Mean and standard deviation of the pixels of each channel, in units of byte / 255. Images that lie in memory are
  /// all looked at; of images that must be decoded, at most 10,000, evenly spaced, so that a start does not read a
  /// whole data set. The same on every rank. Local.
  static Normalization measure(const ImageSource& source);

  bool operator==(const Normalization&) const = default;

  const std::vector<double>& mean() const noexcept { return mean_; }
  const std::vector<double>& deviation() const noexcept { return deviation_; }

  /// Throws std::invalid_argument unless there are as many means as deviations, at least one, all of them finite, and
  /// the deviations positive.
  void validate() const;
  /// Whether images of so many channels can be normalised.
  bool serves(std::int64_t channels) const;
  /// images [b, C, H, W] uint8 or float in 0..255 -> float of the same shape on the same device. Throws
  /// std::invalid_argument when C is not the number of channels.
  at::Tensor apply(const at::Tensor& images) const;
  /// The second half of it, in place: images [b, C, H, W] float in 0..1. Returns them.
  at::Tensor centre(at::Tensor images) const;

 private:
  std::vector<double> mean_ = {0.0};
  std::vector<double> deviation_ = {1.0};
};

}  // namespace negatron

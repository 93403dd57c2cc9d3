#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include <ATen/ATen.h>

namespace negatron {

/// The brightest value of a pixel.
inline constexpr double kByteMax = 255.0;

/// How bytes become the encoder's input, channel by channel: x = (byte / 255 - mean) / deviation. One pair serves all
/// channels, or each channel has its own. Of samples that are features, each feature is a channel, and no byte.
class Normalization {
 public:
  /// Mean 0 and deviation 1: bytes / 255.
  Normalization() = default;
  /// The same for every channel.
  Normalization(double mean, double deviation) : mean_{mean}, deviation_{deviation} {}
  /// Of each channel.
  Normalization(std::vector<double> mean, std::vector<double> deviation)
      : mean_(std::move(mean)), deviation_(std::move(deviation)) {}

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
  /// The second half of it, in place: images [b, C, H, W] float in 0..1, or features [b, F, 1, 1]. Returns them.
  at::Tensor centre(at::Tensor images) const;

 private:
  std::vector<double> mean_ = {0.0};
  std::vector<double> deviation_ = {1.0};
};

}  // namespace negatron

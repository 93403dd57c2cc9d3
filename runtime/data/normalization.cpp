#include "runtime/data/normalization.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

namespace negatron {

namespace {

constexpr std::int64_t kByteValues = 256;
/// More images that must be decoded say the same more slowly.
constexpr std::int64_t kMostDecoded = 10000;

/// How many images are looked at.
std::int64_t measured_images(const ImageSource& source) {
  return source.bytes_in_memory() > 0 ? source.size() : std::min(source.size(), kMostDecoded);
}

/// Adds how often each value of a byte occurs: images [n, C, h, w] uint8; counts [C, 256] int64.
void count_values(const at::Tensor& images, at::Tensor& counts) {
  for (std::int64_t channel = 0; channel < counts.size(0); ++channel) {
    counts[channel].add_(at::bincount(images.select(1, channel).reshape({-1}), {}, kByteValues));
  }
}

/// [C, 256] int64: counting the values is exact and needs no float copy of the images.
at::Tensor value_counts(const ImageSource& source) {
  at::Tensor counts = at::zeros({source.channels(), kByteValues}, at::kLong);
  const std::int64_t measured = measured_images(source);
  const std::int64_t together = loaded_together(source);
  for (std::int64_t begin = 0; begin < measured; begin += together) {
    const std::int64_t end = std::min(begin + together, measured);
    // Evenly spaced over the whole: files are often sorted by class.
    const at::Tensor ids = (at::arange(begin, end, at::kLong) * source.size()).floor_divide(measured);
    const DecodedImages images = source.load(ids);
    if (images.have_one_size()) {
      count_values(images.together(), counts);
      continue;
    }
    for (std::int64_t i = 0; i < images.size(); ++i) count_values(images.image(i), counts);
  }
  return counts;
}

/// One number a channel as [C, 1, 1] float on the device of `images`.
at::Tensor of_channels(const std::vector<double>& values, const at::Tensor& images) {
  return at::tensor(values, at::kDouble).to(images.options()).view({-1, 1, 1});
}

}  // namespace

Normalization Normalization::measure(const ImageSource& source) {
  if (source.size() == 0) throw std::invalid_argument("Normalization::measure needs at least one pixel.");
  const at::Tensor all_counts = value_counts(source);
  const at::Tensor values = at::arange(kByteValues, at::kDouble) / kByteMax;
  std::vector<double> means, deviations;
  for (std::int64_t channel = 0; channel < source.channels(); ++channel) {
    const at::Tensor counts = all_counts[channel].to(at::kDouble);  // [256]
    const double total = counts.sum().item<double>();
    const double mean = (counts * values).sum().item<double>() / total;
    const double variance = (counts * (values - mean).square()).sum().item<double>() / total;
    means.push_back(mean);
    // A constant picture has nothing to scale.
    deviations.push_back(variance > 0 ? std::sqrt(variance) : 1.0);
  }
  return {std::move(means), std::move(deviations)};
}

void Normalization::validate() const {
  if (mean_.empty() || mean_.size() != deviation_.size()) {
    throw std::invalid_argument("Normalization needs a mean and a deviation for each channel, got " +
                                std::to_string(mean_.size()) + " and " + std::to_string(deviation_.size()) + ".");
  }
  for (std::size_t channel = 0; channel < mean_.size(); ++channel) {
    if (std::isfinite(mean_[channel]) && std::isfinite(deviation_[channel]) && deviation_[channel] > 0) continue;
    throw std::invalid_argument("Normalization needs a finite mean and a positive, finite deviation, got mean " +
                                std::to_string(mean_[channel]) + " and deviation " +
                                std::to_string(deviation_[channel]) + ".");
  }
}

bool Normalization::serves(std::int64_t channels) const {
  return mean_.size() == 1 || static_cast<std::int64_t>(mean_.size()) == channels;
}

at::Tensor Normalization::apply(const at::Tensor& images) const {
  return centre(images.to(at::kFloat, /*non_blocking=*/false, /*copy=*/true).mul_(1.0 / kByteMax));
}

at::Tensor Normalization::centre(at::Tensor images) const {
  if (mean_.size() == 1) return images.sub_(mean_.front()).mul_(1.0 / deviation_.front());
  if (!serves(images.size(1))) {
    throw std::invalid_argument("Normalization of " + std::to_string(mean_.size()) + " channels, but images of " +
                                std::to_string(images.size(1)) + ".");
  }
  std::vector<double> scales;
  for (const double deviation : deviation_) scales.push_back(1.0 / deviation);
  return images.sub_(of_channels(mean_, images)).mul_(of_channels(scales, images));
}

}  // namespace negatron

#include "runtime/data/normalization.h"

#include <cmath>
#include <stdexcept>
#include <string>

#include "comm/queued_copy.h"

namespace negatron {

namespace {

/// One number a channel as [C, 1, 1] float on the device of `images`.
at::Tensor of_channels(const std::vector<double>& values, const at::Tensor& images) {
  const at::Tensor host = at::tensor(values, at::kDouble).to(images.scalar_type());
  return queued_copy(host.view({-1, 1, 1}), images.device());
}

}  // namespace

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

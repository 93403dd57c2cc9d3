#include "runtime/data/normalization.h"

#include <cmath>
#include <stdexcept>

namespace negatron {

namespace {}

Normalization Normalization::measure(const at::Tensor& images) {
  if (images.numel() == 0) throw std::invalid_argument("Normalization::measure needs at least one pixel.");
  // Counting the 256 values is exact and needs no float copy of the images.
  const at::Tensor counts = at::bincount(images.reshape({-1}), {}, 256).to(at::kDouble);  // [256]
  const at::Tensor values = at::arange(256, counts.options()) / kByteMax;
  const double total = static_cast<double>(images.numel());
  const double mean = (counts * values).sum().item<double>() / total;
  const double variance = (counts * (values - mean).square()).sum().item<double>() / total;
  // A constant picture has nothing to scale.
  return {mean, variance > 0 ? std::sqrt(variance) : 1.0};
}

void Normalization::validate() const {
  if (!std::isfinite(mean) || !std::isfinite(deviation) || deviation <= 0) {
    throw std::invalid_argument("Normalization needs a finite mean and a positive, finite deviation, got mean " +
                                std::to_string(mean) + " and deviation " + std::to_string(deviation) + ".");
  }
}

at::Tensor Normalization::apply(const at::Tensor& images) const {
  return images.to(at::kFloat).mul_(1.0 / kByteMax).sub_(mean).mul_(1.0 / deviation);
}

}  // namespace negatron

#include "runtime/evaluation/features.h"

#include <stdexcept>
#include <vector>

#include <ATen/core/grad_mode.h>

namespace negatron {

namespace {

// Below this length a row is as good as zero and stays what it is.
constexpr double kLeastLength = 1e-12;

at::Tensor unit_rows(const at::Tensor& rows) {
  const at::Tensor values = rows.to(at::kFloat);
  return values / values.norm(2, 1, /*keepdim=*/true).clamp_min_(kLeastLength);
}

}  // namespace

at::Tensor feature_rows(const FeatureFunction& function, const at::Tensor& inputs, std::int64_t batch) {
  if (batch < 1) throw std::invalid_argument("Features need batches of at least 1 image.");
  if (inputs.size(0) == 0) throw std::invalid_argument("Features need at least 1 image.");
  const at::NoGradGuard no_gradient;
  std::vector<at::Tensor> parts;
  for (std::int64_t begin = 0; begin < inputs.size(0); begin += batch) {
    parts.push_back(unit_rows(function(inputs.slice(0, begin, begin + batch))));
  }
  return at::cat(parts);
}

at::Tensor extract_features(const FeatureFunction& function, const at::Tensor& images,
                            const Normalization& normalization, std::int64_t batch) {
  return feature_rows([&](const at::Tensor& bytes) { return function(normalization.apply(bytes)); }, images, batch);
}

at::Tensor pixel_features(const at::Tensor& images, const Normalization& normalization) {
  return unit_rows(normalization.apply(images).flatten(1));
}

}  // namespace negatron

#include "runtime/data/views/grey_jitter.h"

#include <vector>

#include "comm/queued_copy.h"

namespace negatron {

// Every step is a product, a sum or a mean taken on its own, never a fused multiply-add or a matrix product: those may
// round differently at the end of a vector or with another batch size, and views must not.

namespace {

/// A drawn factor of each view: [n, 1, 1, 1] on the device of the views.
at::Tensor factors(std::span<const ViewParameters> parameters, float ViewParameters::*factor, at::Device device) {
  std::vector<float> values;
  for (const ViewParameters& drawn : parameters) values.push_back(drawn.*factor);
  return queued_copy(at::tensor(values).view({-1, 1, 1, 1}), device);
}

}  // namespace

void change_brightness_and_contrast(at::Tensor& views, std::span<const ViewParameters> parameters,
                                    const AugmentationOptions& options) {
  if (options.jitter_probability == 0.0) return;
  // A factor of 1 stands for "not drawn", so that all views take the same operations whatever was drawn.
  const auto drawn = [&](float ViewParameters::*factor) { return factors(parameters, factor, views.device()); };
  if (options.brightness > 0.0) views.mul_(drawn(&ViewParameters::brightness)).clamp_(0.0, 1.0);
  if (options.contrast > 0.0) {
    const at::Tensor mean = views.mean({1, 2, 3}, /*keepdim=*/true);  // [n, 1, 1, 1]
    views.sub_(mean).mul_(drawn(&ViewParameters::contrast)).add_(mean).clamp_(0.0, 1.0);
  }
}

}  // namespace negatron

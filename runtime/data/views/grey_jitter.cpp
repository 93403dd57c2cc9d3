#include "runtime/data/views/grey_jitter.h"

#include <algorithm>
#include <vector>

#include "comm/queued_copy.h"

namespace negatron {

// Every step is a product, a sum or a mean taken on its own, never a fused multiply-add or a matrix product: those may
// round differently at the end of a vector or with another batch size, and views must not.

namespace {

/// A factor of each view: [n, 1, 1, 1] on the device of the views.
template <typename Factor>
at::Tensor factors(std::span<const ViewParameters> parameters, const at::Tensor& views, Factor factor) {
  std::vector<float> values;
  for (const ViewParameters& drawn : parameters) values.push_back(factor(drawn));
  return queued_copy(at::tensor(values).view({-1, 1, 1, 1}), views.device());
}

bool brightness_is_first(const ViewParameters& drawn) {
  const auto brightness = std::find(drawn.order.begin(), drawn.order.end(), ColourChange::kBrightness);
  return std::find(brightness, drawn.order.end(), ColourChange::kContrast) != drawn.order.end();
}

}  // namespace

void change_brightness_and_contrast(at::Tensor& views, std::span<const ViewParameters> parameters,
                                    const AugmentationOptions& options) {
  if (options.jitter_probability == 0.0) return;
  // A factor of 1 stands for "not drawn" and "not in this place", so that all views take the same operations whatever
  // was drawn.
  const auto brighten = [&](bool first) {
    if (options.brightness == 0.0) return;
    const auto here = [first](const ViewParameters& drawn) {
      return brightness_is_first(drawn) == first ? drawn.brightness : 1.0F;
    };
    views.mul_(factors(parameters, views, here)).clamp_(0.0, 1.0);
  };
  brighten(/*first=*/true);
  if (options.contrast > 0.0) {
    const at::Tensor mean = views.mean({1, 2, 3}, /*keepdim=*/true);  // [n, 1, 1, 1]
    const at::Tensor contrast = factors(parameters, views, [](const ViewParameters& drawn) { return drawn.contrast; });
    views.sub_(mean).mul_(contrast).add_(mean).clamp_(0.0, 1.0);
  }
  brighten(/*first=*/false);
}

}  // namespace negatron

#include "runtime/data/device_views/tensor_colours.h"

#include <vector>

#include "runtime/data/views/colour_kernel.h"

namespace negatron {
namespace {

/// [n, 1, H, W]
at::Tensor grey_of(const at::Tensor& views) {
  return views.narrow(1, 0, 1) * kRedInGrey + views.narrow(1, 1, 1) * kGreenInGrey +
         views.narrow(1, 2, 1) * kBlueInGrey;
}

at::Tensor blended(const at::Tensor& views, const at::Tensor& factors, const at::Tensor& with) {
  return (factors * views + (1.0 - factors) * with).clamp_(0.0, 1.0);
}

/// See depth() of colour_kernel.cpp.
at::Tensor depth(const at::Tensor& sixths) {
  const at::Tensor k = sixths.remainder(6.0);
  return at::minimum(k, 4.0 - k).clamp_(0.0, 1.0);
}

// The arithmetic is turn_hue()'s, which says where it comes from.
at::Tensor turned(const at::Tensor& views, const at::Tensor& turns) {
  const at::Tensor red = views.narrow(1, 0, 1), green = views.narrow(1, 1, 1), blue = views.narrow(1, 2, 1);
  const at::Tensor value = views.amax(1, /*keepdim=*/true);
  const at::Tensor chroma = value - views.amin(1, /*keepdim=*/true);
  const at::Tensor is_red = value == red, is_green = value == green;
  const at::Tensor distance = at::where(is_red, green - blue, at::where(is_green, blue - red, red - green));
  const at::Tensor start = is_red.logical_not().to(at::kFloat) * (4.0 - 2.0 * is_green.to(at::kFloat));
  // A grey pixel has no hue; its chroma of 0 keeps what comes out here from mattering.
  const at::Tensor divisor = at::where(chroma > 0.0, chroma, at::ones_like(chroma));
  const at::Tensor hue = (start + distance / divisor).remainder(6.0).add_(6.0 * turns).remainder_(6.0);
  return at::cat(
      {value - chroma * depth(hue + 5.0), value - chroma * depth(hue + 3.0), value - chroma * depth(hue + 1.0)}, 1);
}

}  // namespace

at::Tensor changed_colours(const at::Tensor& views, ColourChange what, const at::Tensor& factors) {
  switch (what) {
    case ColourChange::kBrightness:
      return (factors * views).clamp_(0.0, 1.0);
    case ColourChange::kContrast:
      return blended(views, factors, grey_of(views).mean({2, 3}, /*keepdim=*/true));
    case ColourChange::kSaturation:
      return blended(views, factors, grey_of(views));
    case ColourChange::kHue:
      return turned(views, factors);
  }
  return views;
}

at::Tensor greyed(const at::Tensor& views) {
  return grey_of(views).expand_as(views);
}

at::Tensor solarised(const at::Tensor& views) {
  constexpr double kThreshold = 128.0 / 255.0;
  return at::where(views >= kThreshold, 1.0 - views, views);
}

}  // namespace negatron

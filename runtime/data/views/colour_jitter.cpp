#include "runtime/data/views/colour_jitter.h"

#include "runtime/data/views/colour_kernel.h"

namespace negatron {
namespace {

float mean_of_grey(const ColourPlanes& planes) {
  // The mean of a weighted sum is the weighted sum of means.
  const double sum = static_cast<double>(kRedInGrey) * sum_of(planes.red, planes.pixels) +
                     static_cast<double>(kGreenInGrey) * sum_of(planes.green, planes.pixels) +
                     static_cast<double>(kBlueInGrey) * sum_of(planes.blue, planes.pixels);
  return static_cast<float>(sum / static_cast<double>(planes.pixels));
}

/// A factor of 1 and a hue of 0 change nothing, not even by rounding.
void change(const ColourPlanes& planes, ColourChange what, const ViewParameters& drawn) {
  // The planes of a view lie behind each other.
  float* values = planes.red;
  const std::int64_t count = kColourChannels * planes.pixels;
  switch (what) {
    case ColourChange::kBrightness:
      if (drawn.brightness != 1.0F) multiply_values(values, count, drawn.brightness);
      break;
    case ColourChange::kContrast:
      if (drawn.contrast != 1.0F) blend_with_value(values, count, drawn.contrast, mean_of_grey(planes));
      break;
    case ColourChange::kSaturation:
      if (drawn.saturation != 1.0F) blend_with_grey(planes, drawn.saturation);
      break;
    case ColourChange::kHue:
      if (drawn.hue != 0.0F) turn_hue(planes, drawn.hue);
      break;
  }
}

}  // namespace

void change_colours(at::Tensor& views, std::span<const ViewParameters> parameters) {
  const std::int64_t pixels = views.size(2) * views.size(3);
  auto* values = views.mutable_data_ptr<float>();
  for (const ViewParameters& drawn : parameters) {
    const ColourPlanes planes{values, values + pixels, values + 2 * pixels, pixels};
    for (const ColourChange what : drawn.order) change(planes, what, drawn);
    if (drawn.grey) blend_with_grey(planes, 0.0F);
    values += kColourChannels * pixels;
  }
}

void solarise_views(at::Tensor& views, std::span<const ViewParameters> parameters) {
  const std::int64_t count = views.size(1) * views.size(2) * views.size(3);
  auto* values = views.mutable_data_ptr<float>();
  for (const ViewParameters& drawn : parameters) {
    if (drawn.solarised) solarise(values, count);
    values += count;
  }
}

}  // namespace negatron

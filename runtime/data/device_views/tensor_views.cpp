#include "runtime/data/device_views/tensor_views.h"

#include <functional>
#include <vector>

#include "comm/queued_copy.h"
#include "runtime/data/device_views/axis_filter.h"
#include "runtime/data/device_views/tensor_colours.h"
#include "runtime/data/views/colour_jitter.h"
#include "runtime/data/views/grey_jitter.h"
#include "runtime/data/views/pixel_middles.h"

namespace negatron {
namespace {

using Drawn = std::vector<ViewParameters>;

/// Changes those views for which something was drawn: they are taken out, changed together and put back.
void change_those(at::Tensor& views, std::span<const ViewParameters> parameters,
                  const std::function<bool(const ViewParameters&)>& is_drawn,
                  const std::function<at::Tensor(const at::Tensor& views, const Drawn& drawn)>& change) {
  std::vector<std::int64_t> rows;
  Drawn drawn;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (!is_drawn(parameters[i])) continue;
    rows.push_back(static_cast<std::int64_t>(i));
    drawn.push_back(parameters[i]);
  }
  if (rows.empty()) return;
  const at::Tensor places = queued_copy(at::tensor(rows, at::kLong), views.device());
  views.index_copy_(0, places, change(views.index_select(0, places), drawn));
}

/// One number of each view, [n, 1, 1, 1] float.
template <typename Number>
at::Tensor numbers(const Drawn& drawn, at::Device device, Number number) {
  std::vector<float> values;
  for (const ViewParameters& one : drawn) values.push_back(number(one));
  return queued_copy(at::tensor(values).view({-1, 1, 1, 1}), device);
}

float factor_of(const ViewParameters& drawn, ColourChange what) {
  switch (what) {
    case ColourChange::kBrightness:
      return drawn.brightness;
    case ColourChange::kContrast:
      return drawn.contrast;
    case ColourChange::kSaturation:
      return drawn.saturation;
    case ColourChange::kHue:
      return drawn.hue;
  }
  return 1.0F;
}

/// A factor of 1 and a hue of 0 change nothing, not even by rounding.
bool changes(const ViewParameters& drawn, ColourChange what) {
  return factor_of(drawn, what) != (what == ColourChange::kHue ? 0.0F : 1.0F);
}

/// Each view has an order of its own: at each place in it, those that change alike are changed together.
void jitter_colours(at::Tensor& views, std::span<const ViewParameters> parameters) {
  for (std::size_t place = 0; place < ViewParameters().order.size(); ++place) {
    for (const ColourChange what : ViewParameters().order) {
      change_those(
          views, parameters, [&](const ViewParameters& one) { return one.order[place] == what && changes(one, what); },
          [&](const at::Tensor& those, const Drawn& drawn) {
            const auto factor = [what](const ViewParameters& one) { return factor_of(one, what); };
            return changed_colours(those, what, numbers(drawn, those.device(), factor));
          });
    }
  }
  change_those(
      views, parameters, [](const ViewParameters& one) { return one.grey; },
      [](const at::Tensor& those, const Drawn&) { return greyed(those); });
}

void blur_views(at::Tensor& views, std::span<const ViewParameters> parameters, double largest_sigma) {
  change_those(
      views, parameters, [](const ViewParameters& one) { return one.blur_sigma > 0.0; },
      [largest_sigma](const at::Tensor& those, const Drawn& drawn) {
        const ImageSize size{those.size(2), those.size(3)};
        return apply_filters(blur_filters(drawn, largest_sigma, size, those.device()), those);
      });
}

at::Tensor erased(const at::Tensor& views, const Drawn& drawn) {
  const at::Device device = views.device();
  const auto edge = [&](float ErasedBox::*side) {
    return numbers(drawn, device, [side](const ViewParameters& one) { return one.erased.*side; });
  };
  const at::Tensor x = queued_copy(pixel_middles(views.size(3)), device).view({1, 1, 1, -1});
  const at::Tensor y = queued_copy(pixel_middles(views.size(2)), device).view({1, 1, -1, 1});
  const at::Tensor columns = (x >= edge(&ErasedBox::left)).logical_and_(x < edge(&ErasedBox::right));
  const at::Tensor rows = (y >= edge(&ErasedBox::top)).logical_and_(y < edge(&ErasedBox::bottom));
  return views.masked_fill(rows.logical_and(columns), 0.0);
}

}  // namespace

at::Tensor make_tensor_views(const PaddedImages& images, std::span<const ViewParameters> parameters,
                             const AugmentationOptions& options, const ViewFormat& format) {
  at::Tensor views = apply_filters(crop_filters(images, parameters, format.size), images.pixels.to(at::kFloat));
  views.mul_(1.0 / kByteMax);
  if (views.size(1) == kColourChannels) {
    jitter_colours(views, parameters);
  } else {
    change_brightness_and_contrast(views, parameters, options);
  }
  blur_views(views, parameters, options.blur_sigma_max);
  change_those(
      views, parameters, [](const ViewParameters& one) { return one.solarised; },
      [](const at::Tensor& those, const Drawn&) { return solarised(those); });
  change_those(
      views, parameters, [](const ViewParameters& one) { return one.erased.right != one.erased.left; }, erased);
  return format.normalization.centre(views);
}

}  // namespace negatron

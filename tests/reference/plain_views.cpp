#include "tests/reference/plain_views.h"

#include <algorithm>
#include <cmath>

namespace negatron::reference {
namespace {

at::Tensor middles(std::int64_t count) {
  return at::arange(count, at::kFloat).add_(0.5).div_(static_cast<double>(count));
}

/// [b, 1, 1, 1]
template <typename Value>
at::Tensor of_each(const std::vector<ViewParameters>& parameters, Value value) {
  std::vector<float> values;
  for (const ViewParameters& drawn : parameters) values.push_back(value(drawn));
  return at::tensor(values).view({-1, 1, 1, 1});
}

at::Tensor sampled(const at::Tensor& images, const std::vector<ViewParameters>& parameters, const ImageSize& size) {
  const auto places = [](const at::Tensor& start, const at::Tensor& extent, std::int64_t pixels) {
    return (middles(pixels) * extent.view({-1, 1})).add_(start.view({-1, 1})).mul_(2.0).sub_(1.0);
  };
  const at::Tensor x = places(of_each(parameters, [](const auto& drawn) { return drawn.crop.left; }),
                              of_each(parameters, [](const auto& drawn) { return drawn.crop.width; }), size.width);
  const at::Tensor y = places(of_each(parameters, [](const auto& drawn) { return drawn.crop.top; }),
                              of_each(parameters, [](const auto& drawn) { return drawn.crop.height; }), size.height);
  const std::vector<std::int64_t> shape = {images.size(0), size.height, size.width};
  const at::Tensor grid = at::stack({x.unsqueeze(1).expand(shape), y.unsqueeze(2).expand(shape)}, 3);
  return at::grid_sampler(images.to(at::kFloat), grid, /*bilinear*/ 0, /*border*/ 1, /*align_corners=*/false);
}

at::Tensor blurred_along(const at::Tensor& padded, std::int64_t dimension, const std::vector<float>& weights) {
  const std::int64_t length = padded.size(dimension) - static_cast<std::int64_t>(weights.size()) + 1;
  at::Tensor sum;
  for (std::size_t tap = 0; tap < weights.size(); ++tap) {
    const at::Tensor term =
        padded.narrow(dimension, static_cast<std::int64_t>(tap), length) * at::tensor({weights[tap]});
    sum = tap == 0 ? term : sum.add_(term);
  }
  return sum;
}

/// view: [1, 1, H, W]
at::Tensor blurred(const at::Tensor& view, double sigma, double largest_sigma) {
  const auto radius = static_cast<std::int64_t>(std::ceil(3.0 * largest_sigma));
  std::vector<double> exact;
  double sum = 0.0;
  for (std::int64_t offset = -radius; offset <= radius; ++offset) {
    const double distance = static_cast<double>(offset) / sigma;
    sum += exact.emplace_back(std::exp(-0.5 * distance * distance));
  }
  std::vector<float> weights;
  for (const double weight : exact) weights.push_back(static_cast<float>(weight / sum));
  const at::Tensor down = blurred_along(at::replication_pad2d(view, {0, 0, radius, radius}), 2, weights);
  return blurred_along(at::replication_pad2d(down, {radius, radius, 0, 0}), 3, weights);
}

double cut(double value) {
  return std::clamp(value, 0.0, 1.0);
}

Colour blend(const Colour& rgb, double factor, double with) {
  Colour blended{};
  for (std::size_t i = 0; i < rgb.size(); ++i) blended[i] = cut(factor * rgb[i] + (1.0 - factor) * with);
  return blended;
}

}  // namespace

at::Tensor plain_grey_views(const at::Tensor& images, const std::vector<ViewParameters>& parameters,
                            const AugmentationOptions& options, const ViewFormat& format) {
  at::Tensor views = sampled(images, parameters, format.size).mul_(1.0 / 255.0);
  if (options.jitter_probability > 0.0 && options.brightness > 0.0) {
    views.mul_(of_each(parameters, [](const auto& drawn) { return drawn.brightness; })).clamp_(0.0, 1.0);
  }
  if (options.jitter_probability > 0.0 && options.contrast > 0.0) {
    const at::Tensor mean = views.mean({1, 2, 3}, /*keepdim=*/true);
    const at::Tensor factors = of_each(parameters, [](const auto& drawn) { return drawn.contrast; });
    views.sub_(mean).mul_(factors).add_(mean).clamp_(0.0, 1.0);
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    at::Tensor view = views.narrow(0, static_cast<std::int64_t>(i), 1);
    const double sigma = parameters[i].blur_sigma;
    if (sigma > 0.0) view.copy_(blurred(view, sigma, options.blur_sigma_max));
  }
  const at::Tensor x = middles(format.size.width), y = middles(format.size.height).view({1, 1, -1, 1});
  const at::Tensor columns = (x >= of_each(parameters, [](const auto& drawn) { return drawn.erased.left; })) &
                             (x < of_each(
                                      parameters, [](const auto& drawn) { return drawn.erased.right; }));
  const at::Tensor lines = (y >= of_each(parameters, [](const auto& drawn) { return drawn.erased.top; })) &
                           (y < of_each(
                                    parameters, [](const auto& drawn) { return drawn.erased.bottom; }));
  views.masked_fill_(columns & lines, 0.0);
  return format.normalization.centre(views);
}

Colour plain_hsv(const Colour& rgb) {
  const auto [red, green, blue] = rgb;
  const double most = std::max({red, green, blue});
  const double least = std::min({red, green, blue});
  if (most == least) return {0.0, 0.0, most};
  const double range = most - least;
  const double from_red = (most - red) / range, from_green = (most - green) / range, from_blue = (most - blue) / range;
  double sixths = 4.0 + from_green - from_red;
  if (green == most) sixths = 2.0 + from_red - from_blue;
  if (red == most) sixths = from_blue - from_green;
  return {std::fmod(sixths / 6.0 + 1.0, 1.0), range / most, most};
}

Colour plain_rgb(const Colour& hsv) {
  const auto [hue, saturation, value] = hsv;
  const double sector = std::floor(hue * 6.0);
  const double part = hue * 6.0 - sector;
  const double p = value * (1.0 - saturation);
  const double q = value * (1.0 - saturation * part);
  const double t = value * (1.0 - saturation * (1.0 - part));
  switch (static_cast<int>(sector) % 6) {
    case 0:
      return {value, t, p};
    case 1:
      return {q, value, p};
    case 2:
      return {p, value, t};
    case 3:
      return {p, q, value};
    case 4:
      return {t, p, value};
    default:
      return {value, p, q};
  }
}

Colour plain_hue(const Colour& rgb, double turns) {
  auto [hue, saturation, value] = plain_hsv(rgb);
  return plain_rgb({std::fmod(hue + turns + 1.0, 1.0), saturation, value});
}

double plain_grey(const Colour& rgb) {
  return 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
}

Colour plain_saturation(const Colour& rgb, double factor) {
  return blend(rgb, factor, plain_grey(rgb));
}

Colour plain_contrast(const Colour& rgb, double factor, double mean) {
  return blend(rgb, factor, mean);
}

Colour plain_brightness(const Colour& rgb, double factor) {
  return blend(rgb, factor, 0.0);
}

PixelBox plain_crop(CounterRng& random, const ImageSize& size, const AugmentationOptions& options) {
  const auto width = static_cast<double>(size.width), height = static_cast<double>(size.height);
  const auto between = [&](double low, double high) { return low + (high - low) * random.uniform(); };
  for (int attempt = 0; attempt < 10; ++attempt) {
    const double area = width * height * between(options.crop_area_min, options.crop_area_max);
    const double aspect = std::exp(between(std::log(options.crop_aspect_min), std::log(options.crop_aspect_max)));
    const double w = std::round(std::sqrt(area * aspect)), h = std::round(std::sqrt(area / aspect));
    if (w <= 0.0 || w > width || h <= 0.0 || h > height) continue;
    const double top = std::floor(random.uniform() * (height - h + 1.0));
    return {std::floor(random.uniform() * (width - w + 1.0)), top, w, h};
  }
  PixelBox box{0.0, 0.0, width, height};
  if (width / height < options.crop_aspect_min) box.height = std::round(width / options.crop_aspect_min);
  if (width / height > options.crop_aspect_max) box.width = std::round(height * options.crop_aspect_max);
  box.left = std::floor((width - box.width) / 2.0);
  box.top = std::floor((height - box.height) / 2.0);
  return box;
}

}  // namespace negatron::reference

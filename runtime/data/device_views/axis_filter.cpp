#include "runtime/data/device_views/axis_filter.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "comm/queued_copy.h"
#include "runtime/data/views/blur.h"

namespace negatron {
namespace {

/// One axis of some crops: where they lie, in shares, and the pixels of their images.
struct CropAxis {
  std::vector<double> starts, extents, inputs;

  void add(float start, float extent, std::int64_t pixels) {
    starts.push_back(static_cast<double>(start));
    extents.push_back(static_cast<double>(extent));
    inputs.push_back(static_cast<double>(pixels));
  }
};

at::Tensor counted(std::int64_t count, at::ScalarType type, at::Device device) {
  return at::arange(count, at::TensorOptions(type).device(device));
}

// In fp64, as on the host: the distance of a pixel from a place far to the right would lose bits that its weight needs.
// See taps_of() of averaged_crop.cpp for an example.
at::Tensor triangles(const CropAxis& axis, std::int64_t outputs, std::int64_t most_inputs, at::Device device) {
  const auto of_crops = [&](const std::vector<double>& numbers) {
    return queued_copy(at::tensor(numbers, at::kDouble).view({-1, 1, 1}), device);
  };
  const at::Tensor inputs = of_crops(axis.inputs), extents = of_crops(axis.extents);
  const at::Tensor shares = counted(outputs, at::kDouble, device).add_(0.5).div_(static_cast<double>(outputs));
  const at::Tensor centres = (of_crops(axis.starts) + extents * shares.view({1, -1, 1})) * inputs;  // [n, outputs, 1]
  const at::Tensor support = (extents.abs() * inputs / static_cast<double>(outputs)).clamp_min_(1.0);
  const at::Tensor pixels = counted(most_inputs, at::kDouble, device).view({1, 1, -1});
  at::Tensor weights = (pixels + 0.5 - centres).abs_().div_(support).neg_().add_(1.0).clamp_min_(0.0);
  weights.mul_(pixels < inputs);
  return weights.div_(weights.sum(2, /*keepdim=*/true)).to(at::kFloat);
}

/// Sums of the first 0, 1, ... of the weights of each blur: [n, taps + 1] double on the host.
at::Tensor sums_of_weights(std::span<const ViewParameters> parameters, double largest_sigma) {
  std::vector<double> sums;
  for (const ViewParameters& drawn : parameters) {
    sums.push_back(0.0);
    for (const double weight : blur_weights(drawn.blur_sigma, largest_sigma)) sums.push_back(sums.back() + weight);
  }
  return at::tensor(sums, at::kDouble).view({static_cast<std::int64_t>(parameters.size()), -1});
}

// Pixel y is the sum over taps t of weight[t] times pixel y + t - radius, or the border pixel where that lies outside.
// So an inner pixel counts with one weight, and a border pixel with those of all taps at it and beyond: a difference of
// two sums. Example, 4 pixels and radius 1: pixel 0 takes weights 0 and 1 of itself and weight 2 of pixel 1.
at::Tensor blurs(const at::Tensor& sums, std::int64_t pixels) {
  const std::int64_t taps = sums.size(1) - 1;
  const at::Tensor place = counted(pixels, at::kLong, sums.device());
  const at::Tensor tap = place.unsqueeze(0) - place.unsqueeze(1) + taps / 2;  // [y, j]
  at::Tensor first = tap.clamp(0, taps), end = (tap + 1).clamp_(0, taps);
  first.select(1, 0).zero_();
  end.select(1, pixels - 1).fill_(taps);
  return (sums.index_select(1, end.flatten()) - sums.index_select(1, first.flatten()))
      .view({sums.size(0), pixels, pixels})
      .to(at::kFloat);
}

}  // namespace

AxisFilters crop_filters(const PaddedImages& images, std::span<const ViewParameters> parameters,
                         const ImageSize& view) {
  CropAxis rows, columns;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const CropBox& crop = parameters[i].crop;
    rows.add(crop.top, crop.height, images.sizes[i].height);
    columns.add(crop.left, crop.width, images.sizes[i].width);
  }
  const at::Tensor& pixels = images.pixels;
  return {triangles(rows, view.height, pixels.size(2), pixels.device()),
          triangles(columns, view.width, pixels.size(3), pixels.device())};
}

AxisFilters blur_filters(std::span<const ViewParameters> parameters, double largest_sigma, const ImageSize& view,
                         at::Device device) {
  const at::Tensor sums = queued_copy(sums_of_weights(parameters, largest_sigma), device);
  return {blurs(sums, view.height), blurs(sums, view.width)};
}

at::Tensor apply_filters(const AxisFilters& filters, const at::Tensor& pixels) {
  const std::int64_t count = pixels.size(0), channels = pixels.size(1), height = pixels.size(2);
  const at::Tensor lines = at::bmm(pixels.reshape({count, channels * height, -1}), filters.columns.transpose(1, 2))
                               .view({count, channels, height, -1});  // [n, C, h, W]
  std::vector<at::Tensor> planes;
  for (std::int64_t channel = 0; channel < channels; ++channel) {
    planes.push_back(at::bmm(filters.rows, lines.select(1, channel)));
  }
  return at::stack(planes, 1);
}

}  // namespace negatron

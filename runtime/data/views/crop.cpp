#include "runtime/data/views/crop.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "runtime/data/views/averaged_crop.h"
#include "runtime/data/views/pixel_middles.h"

namespace negatron {
namespace {

constexpr std::int64_t kBilinear = 0;
constexpr std::int64_t kBorderPadding = 1;

/// Where the pixels of views fall in their images along one axis: [n, pixels], from -1 to 1 over the whole image, as
/// the sampler counts. starts and extents: [n] float, shares.
at::Tensor coordinates(const std::vector<float>& starts, const std::vector<float>& extents, std::int64_t pixels) {
  // Pixel middle p of a view falls at start + p * extent. A mirrored view has a negative extent. Example: start 0.9,
  // extent -0.8, p = 1/8 -> 0.8 -> 0.6.
  const at::Tensor shares = pixel_middles(pixels) * at::tensor(extents).unsqueeze(1);
  return shares.add_(at::tensor(starts).unsqueeze(1)).mul_(2.0).sub_(1.0);
}

/// x [n, W], y [n, H] -> [n, H, W, 2], every pair.
at::Tensor sampling_grid(const at::Tensor& x, const at::Tensor& y) {
  at::Tensor grid = at::empty({x.size(0), y.size(1), x.size(1), 2}, at::kFloat);
  auto* pair = grid.mutable_data_ptr<float>();
  const auto* line = y.const_data_ptr<float>();
  for (std::int64_t view = 0; view < x.size(0); ++view) {
    const auto* columns = x.const_data_ptr<float>() + view * x.size(1);
    for (std::int64_t row = 0; row < y.size(1); ++row, ++line) {
      for (std::int64_t column = 0; column < x.size(1); ++column, pair += 2) {
        pair[0] = columns[column];
        pair[1] = *line;
      }
    }
  }
  return grid;
}

/// images [n, C, h, w] uint8 -> [n, C, H, W] float in 0..255, sampled at four neighbours.
at::Tensor sampled(const at::Tensor& images, std::span<const ViewParameters> parameters, const ImageSize& size) {
  std::vector<float> left, width, top, height;
  for (const ViewParameters& drawn : parameters) {
    left.push_back(drawn.crop.left), width.push_back(drawn.crop.width);
    top.push_back(drawn.crop.top), height.push_back(drawn.crop.height);
  }
  const at::Tensor grid = sampling_grid(coordinates(left, width, size.width), coordinates(top, height, size.height));
  return at::grid_sampler(images.to(at::kFloat), grid, kBilinear, kBorderPadding, /*align_corners=*/false);
}

bool shrinks(const CropBox& crop, const ImageSize& image, const ImageSize& view) {
  return std::abs(crop.width) * static_cast<float>(image.width) > static_cast<float>(view.width) ||
         crop.height * static_cast<float>(image.height) > static_cast<float>(view.height);
}

/// Grey views that do not shrink are: where nothing is averaged that is the same but for rounding, and faster.
bool is_sampled(const CropBox& crop, const ImageSize& image, const at::Tensor& views) {
  return views.size(1) == 1 && !shrinks(crop, image, {views.size(2), views.size(3)});
}

}  // namespace

void take_crops(const DecodedImages& images, Range rows, std::span<const ViewParameters> parameters,
                at::Tensor& views) {
  const ImageSize size{views.size(2), views.size(3)};
  const auto drawn = [&](std::int64_t row) {
    return parameters.subspan(static_cast<std::size_t>(row - rows.begin), 1);
  };
  bool all_sampled = images.have_one_size();
  for (std::int64_t row = rows.begin; row < rows.end && all_sampled; ++row) {
    all_sampled = is_sampled(drawn(row).front().crop, images.size_of(row), views);
  }
  if (all_sampled) {
    // One call of the sampler for all of them is faster than one for each, and which images it is given together
    // changes no value.
    views.copy_(sampled(images.together().slice(0, rows.begin, rows.end), parameters, size));
    return;
  }
  for (std::int64_t row = rows.begin; row < rows.end; ++row) {
    const CropBox& crop = drawn(row).front().crop;
    at::Tensor view = views[row - rows.begin];
    if (is_sampled(crop, images.size_of(row), views)) {
      view.copy_(sampled(images.image(row), drawn(row), size)[0]);
    } else {
      average_crop(images.image(row)[0], crop, view);
    }
  }
}

}  // namespace negatron

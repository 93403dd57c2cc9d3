#include "runtime/data/augmentation.h"

#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "comm/require.h"
#include "comm/share.h"
#include "runtime/data/view_parameters.h"

namespace negatron {

// Every step below is a product, a sum or a sample taken on its own, never a fused multiply-add or a matrix product:
// those may round differently at the end of a vector or with another batch size, and views must not.

namespace {

constexpr std::int64_t kBilinear = 0;
constexpr std::int64_t kBorderPadding = 1;
// Beyond three sigma a Gaussian is below a hundredth of its peak.
constexpr double kBlurReach = 3.0;

bool is_range(double low, double high, double least, double most) {
  return std::isfinite(low) && std::isfinite(high) && low >= least && high <= most && low <= high;
}

bool is_probability(double value) {
  return value >= 0.0 && value <= 1.0;
}

/// [b] on the host -> [b, 1, 1, 1] on the device of `like`.
at::Tensor per_image(const at::Tensor& values, const at::Tensor& like) {
  return values.to(like.device()).view({-1, 1, 1, 1});
}

/// Middles of `count` pixels as shares of the side: [count].
at::Tensor pixel_middles(std::int64_t count, const at::Tensor& like) {
  return at::arange(count, like.options().dtype(at::kFloat)).add_(0.5).div_(static_cast<double>(count));
}

/// Rows `rows` of crops of images [b, C, h, w] uint8, stretched to `size`: [b, C, H, W] float in 0..255.
at::Tensor resized_crop_of(const at::Tensor& images, const ViewParameters& parameters, Range rows,
                           const ImageSize& size) {
  const auto coordinates = [&](const at::Tensor& starts, const at::Tensor& extents, std::int64_t pixels) {
    const at::Tensor start = starts.slice(0, rows.begin, rows.end).to(images.device());
    const at::Tensor extent = extents.slice(0, rows.begin, rows.end).to(images.device());
    // Where output pixel middle p of a view falls in the image, as a share: start + p * extent. Then 0..1 becomes
    // -1..1. A flipped view has a negative extent. Example: start 0.9, extent -0.8, p = 1/8 -> 0.8 -> 0.6.
    //
    // The sampler's coordinates run from -1 to 1 over the whole image.
    const at::Tensor shares = pixel_middles(pixels, images) * extent.unsqueeze(1);  // [b, pixels]
    return shares.add_(start.unsqueeze(1)).mul_(2.0).sub_(1.0);
  };
  const std::int64_t count = images.size(0);
  const at::Tensor x = coordinates(parameters.left, parameters.width, size.width);   // [b, W]
  const at::Tensor y = coordinates(parameters.top, parameters.height, size.height);  // [b, H]
  const at::Tensor grid = at::stack({x.unsqueeze(1).expand({count, size.height, size.width}),
                                     y.unsqueeze(2).expand({count, size.height, size.width})},
                                    3);
  return at::grid_sampler(images.to(at::kFloat), grid, kBilinear, kBorderPadding, /*align_corners=*/false);
}

/// The crops of all images, one by one where sizes differ: which images are sampled together changes no value.
at::Tensor resized_crop(const DecodedImages& images, const ViewParameters& parameters, const ImageSize& size) {
  if (images.have_one_size()) return resized_crop_of(images.together(), parameters, {0, images.size()}, size);
  std::vector<at::Tensor> crops;
  for (std::int64_t i = 0; i < images.size(); ++i) {
    crops.push_back(resized_crop_of(images.image(i), parameters, {i, i + 1}, size));
  }
  return at::cat(crops);
}

/// In place; images in 0..1.
void change_brightness_and_contrast(at::Tensor& images, const ViewParameters& parameters,
                                    const AugmentationOptions& options) {
  if (options.jitter_probability == 0.0) return;
  if (options.brightness > 0.0) images.mul_(per_image(parameters.brightness, images)).clamp_(0.0, 1.0);
  if (options.contrast > 0.0) {
    const at::Tensor mean = images.mean({1, 2, 3}, /*keepdim=*/true);  // [b, 1, 1, 1]
    images.sub_(mean).mul_(per_image(parameters.contrast, images)).add_(mean).clamp_(0.0, 1.0);
  }
}

/// [n, 2*radius + 1] on the host: Gaussian weights of each sigma, which sum to 1.
at::Tensor blur_weights(const std::vector<double>& sigmas, std::int64_t radius) {
  const auto count = static_cast<std::int64_t>(sigmas.size());
  at::Tensor weights = at::empty({count, 2 * radius + 1}, at::kDouble);
  auto entries = weights.accessor<double, 2>();
  for (std::int64_t i = 0; i < count; ++i) {
    const double sigma = sigmas[static_cast<std::size_t>(i)];
    double sum = 0.0;
    for (std::int64_t offset = -radius; offset <= radius; ++offset) {
      const double distance = static_cast<double>(offset) / sigma;
      sum += entries[i][offset + radius] = std::exp(-0.5 * distance * distance);
    }
    for (std::int64_t tap = 0; tap <= 2 * radius; ++tap) entries[i][tap] /= sum;
  }
  return weights.to(at::kFloat);
}

/// One direction of a separable blur: `padded` is longer by 2*radius along `dimension`.
at::Tensor blur_along(const at::Tensor& padded, std::int64_t dimension, const at::Tensor& weights) {
  const std::int64_t length = padded.size(dimension) - weights.size(1) + 1;
  at::Tensor sum;
  for (std::int64_t tap = 0; tap < weights.size(1); ++tap) {
    const at::Tensor term = padded.narrow(dimension, tap, length) * weights.select(1, tap).view({-1, 1, 1, 1});
    sum = tap == 0 ? term : sum.add_(term);
  }
  return sum;
}

/// In place, on the rows that were chosen.
void blur(at::Tensor& images, const ViewParameters& parameters, const AugmentationOptions& options) {
  if (parameters.blurred.empty()) return;
  // The radius follows from the largest sigma that could be drawn, not from those that were: the number of taps, and
  // with it the rounding of a view, must not depend on which samples share its batch.
  const auto radius = static_cast<std::int64_t>(std::ceil(kBlurReach * options.blur_sigma_max));
  const at::Tensor rows = at::tensor(parameters.blurred, at::kLong).to(images.device());
  const at::Tensor weights = blur_weights(parameters.blur_sigma, radius).to(images.device());
  const at::Tensor chosen = images.index_select(0, rows);
  // A 2D Gaussian is one along lines after one along columns: 2 * (2r + 1) products per pixel and not (2r + 1)^2.
  const at::Tensor down = blur_along(at::replication_pad2d(chosen, {0, 0, radius, radius}), 2, weights);
  images.index_copy_(0, rows, blur_along(at::replication_pad2d(down, {radius, radius, 0, 0}), 3, weights));
}

/// In place.
void erase(at::Tensor& images, const ViewParameters& parameters, const AugmentationOptions& options) {
  if (options.erase_probability == 0.0) return;
  const at::Tensor x = pixel_middles(images.size(3), images);                      // [W]
  const at::Tensor y = pixel_middles(images.size(2), images).view({1, 1, -1, 1});  // [1, 1, H, 1]
  // A pixel is erased when its middle lies in the box; an empty box, with right equal to left, holds no middle.
  const at::Tensor columns = (x >= per_image(parameters.erase_left, images)) &
                             (x < per_image(parameters.erase_right, images));  // [b, 1, 1, W]
  const at::Tensor lines = (y >= per_image(parameters.erase_top, images)) &
                           (y < per_image(parameters.erase_bottom, images));  // [b, 1, H, 1]
  images.masked_fill_(columns & lines, 0.0);
}

}  // namespace

void AugmentationOptions::validate() const {
  constexpr double kMostAspect = 100.0;
  constexpr double kMostSigma = 16.0;
  require(is_range(crop_area_min, crop_area_max, 1e-4, 1.0),
          "The crop area needs 0.0001 <= minimum <= maximum <= 1 (shares of the image).");
  require(is_range(crop_aspect_min, crop_aspect_max, 1.0 / kMostAspect, kMostAspect),
          "The crop aspect needs 0.01 <= minimum <= maximum <= 100.");
  require(is_probability(flip_probability), "The flip probability must lie in 0 to 1.");
  require(is_probability(jitter_probability), "The jitter probability must lie in 0 to 1.");
  require(brightness >= 0.0 && brightness <= 1.0, "The brightness change must lie in 0 to 1.");
  require(contrast >= 0.0 && contrast <= 1.0, "The contrast change must lie in 0 to 1.");
  require(is_probability(blur_probability), "The blur probability must lie in 0 to 1.");
  require(is_range(blur_sigma_min, blur_sigma_max, 1e-3, kMostSigma),
          "The blur sigma needs 0.001 <= minimum <= maximum <= 16 pixels.");
  require(is_probability(erase_probability), "The erase probability must lie in 0 to 1.");
  require(is_range(erase_area_min, erase_area_max, 1e-4, 1.0),
          "The erased area needs 0.0001 <= minimum <= maximum <= 1 (shares of the image).");
}

at::Tensor augment(const DecodedImages& images, const at::Tensor& ids, const ViewNumber& number,
                   const AugmentationOptions& options, const ViewFormat& format) {
  if (ids.dim() != 1 || ids.size(0) != images.size()) {
    throw std::invalid_argument("augment takes as many ids as images.");
  }
  const ViewParameters parameters = draw_view_parameters(ids, number, options);
  at::Tensor views = resized_crop(images, parameters, format.size).mul_(1.0 / kByteMax);
  change_brightness_and_contrast(views, parameters, options);
  blur(views, parameters, options);
  erase(views, parameters, options);
  return format.normalization.centre(views);
}

}  // namespace negatron

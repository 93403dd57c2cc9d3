#include "runtime/data/views/blur.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "runtime/data/views/filter_kernel.h"

namespace negatron {
namespace {

// Beyond three sigma a Gaussian is below a hundredth of its peak.
constexpr double kBlurReach = 3.0;

/// The radius follows from the largest sigma that could be drawn, not from the one that was: torchvision's kernels have
/// one size as well.
std::int64_t radius_of(double largest_sigma) {
  return static_cast<std::int64_t>(std::ceil(kBlurReach * largest_sigma));
}

/// One plane after the other, with the memory that they need in between.
class PlaneBlur {
 public:
  PlaneBlur(std::int64_t height, std::int64_t width, std::int64_t radius)
      : height_(height),
        width_(width),
        radius_(radius),
        taps_(2 * radius + 1),
        down_(static_cast<std::size_t>(height * width)),
        padded_(static_cast<std::size_t>(width + 2 * radius)),
        rows_(static_cast<std::size_t>(taps_)) {}

  // A 2D Gaussian is one along lines after one along columns: 2 * (2r + 1) products per pixel and not (2r + 1)^2. Taps
  // whose weight is too small for a float add exactly nothing.
  void apply(float* plane, const std::vector<float>& weights) {
    for (std::int64_t y = 0; y < height_; ++y) blur_down(plane, y, weights);
    for (std::int64_t tap = 0; tap < taps_; ++tap) row(tap) = padded_.data() + tap;
    for (std::int64_t y = 0; y < height_; ++y) blur_along(y, weights, plane + y * width_);
  }

 private:
  const float*& row(std::int64_t tap) { return rows_[static_cast<std::size_t>(tap)]; }

  void blur_down(const float* plane, std::int64_t y, const std::vector<float>& weights) {
    for (std::int64_t tap = 0; tap < taps_; ++tap) {
      row(tap) = plane + std::clamp<std::int64_t>(y + tap - radius_, 0, height_ - 1) * width_;
    }
    sum_rows(rows_.data(), weights.data(), taps_, width_, down_.data() + y * width_);
  }

  void blur_along(std::int64_t y, const std::vector<float>& weights, float* sum) {
    const float* line = down_.data() + y * width_;
    std::fill_n(padded_.begin(), radius_, line[0]);
    std::copy_n(line, width_, padded_.begin() + radius_);
    std::fill_n(padded_.begin() + radius_ + width_, radius_, line[width_ - 1]);
    sum_rows(rows_.data(), weights.data(), taps_, width_, sum);
  }

  std::int64_t height_, width_, radius_, taps_;
  std::vector<float> down_;    // [height, width]
  std::vector<float> padded_;  // one row, longer by the radius on both sides
  std::vector<const float*> rows_;
};

}  // namespace

std::vector<double> blur_weights(double sigma, double largest_sigma) {
  const std::int64_t radius = radius_of(largest_sigma);
  std::vector<double> weights;
  double sum = 0.0;
  for (std::int64_t offset = -radius; offset <= radius; ++offset) {
    const double distance = static_cast<double>(offset) / sigma;
    weights.push_back(std::exp(-0.5 * distance * distance));
    sum += weights.back();
  }
  for (double& weight : weights) weight /= sum;
  return weights;
}

void blur(at::Tensor& views, std::span<const ViewParameters> parameters, double largest_sigma) {
  const auto is_blurred = [](const ViewParameters& drawn) { return drawn.blur_sigma > 0.0; };
  if (std::none_of(parameters.begin(), parameters.end(), is_blurred)) return;
  const std::int64_t pixels = views.size(2) * views.size(3);
  PlaneBlur plane_blur(views.size(2), views.size(3), radius_of(largest_sigma));
  auto* plane = views.mutable_data_ptr<float>();
  for (const ViewParameters& drawn : parameters) {
    std::vector<float> weights;
    if (is_blurred(drawn)) {
      for (const double weight : blur_weights(drawn.blur_sigma, largest_sigma)) {
        weights.push_back(static_cast<float>(weight));
      }
    }
    for (std::int64_t channel = 0; channel < views.size(1); ++channel, plane += pixels) {
      if (is_blurred(drawn)) plane_blur.apply(plane, weights);
    }
  }
}

}  // namespace negatron

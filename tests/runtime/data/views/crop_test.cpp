#include "runtime/data/views/crop.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "runtime/data/views/averaged_crop.h"
#include "tests/reference/plain_views.h"
#include "tests/runtime/data/drawn_views.h"

namespace negatron::testing {
namespace {

constexpr double kOfBytes = 1e-3;

at::Tensor averaged(const at::Tensor& image, const CropBox& crop, const ImageSize& size) {
  at::Tensor view = at::empty({image.size(0), size.height, size.width}, at::kFloat);
  average_crop(image, crop, view);
  return view;
}

at::Tensor torchvision(const at::Tensor& image, const ImageSize& size) {
  return at::_upsample_bilinear2d_aa(image.to(at::kFloat).unsqueeze(0), {size.height, size.width},
                                     /*align_corners=*/false)[0];
}

TEST(AveragedCrop, OfAWholeImageIsAntialiasedResizing) {
  const at::Tensor image = random_images(1, 3, {75, 100})[0];
  for (const ImageSize size : {ImageSize{32, 32}, {75, 100}, {74, 7}, {120, 50}, {1, 1}, {300, 400}, {25, 200}}) {
    const double distance = (averaged(image, {}, size) - torchvision(image, size)).abs().max().item<double>();
    EXPECT_LT(distance, kOfBytes) << size.height << " x " << size.width;
  }
}

TEST(AveragedCrop, OfWholePixelsIsThatOfTheCutImageInside) {
  const at::Tensor image = random_images(1, 1, {80, 120})[0];
  const CropBox crop{20.0F / 120, 10.0F / 80, 60.0F / 120, 48.0F / 80};
  const ImageSize size{16, 15};  // 3 and 4 pixels become one
  const at::Tensor expected = torchvision(image.slice(1, 10, 58).slice(2, 20, 80), size);
  const at::Tensor view = averaged(image, crop, size);
  EXPECT_LT((view - expected).slice(1, 1, 15).slice(2, 1, 14).abs().max().item<double>(), kOfBytes);
}

TEST(AveragedCrop, IsSamplingWhereNothingShrinks) {
  const at::Tensor images = random_images(3, 1, {40, 40});
  AugmentationOptions options;
  const auto drawn = draw_all(at::arange(3, at::kLong), {4, 0, 0}, options, {40, 40});
  at::Tensor sampled = at::empty({3, 1, 50, 45}, at::kFloat);
  take_crops(images, {0, 3}, drawn, sampled);
  for (std::int64_t i = 0; i < 3; ++i) {
    const at::Tensor view = averaged(images[i], drawn[static_cast<std::size_t>(i)].crop, {50, 45});
    EXPECT_LT((view - sampled[i]).abs().max().item<double>(), 2e-2) << i;
  }
}

TEST(AveragedCrop, MirrorsExactly) {
  const at::Tensor image = random_images(1, 3, {50, 64})[0];
  const at::Tensor view = averaged(image, {0.25F, 0.125F, 0.5F, 0.75F}, {20, 24});
  const at::Tensor mirrored = averaged(image, {0.75F, 0.125F, -0.5F, 0.75F}, {20, 24});
  EXPECT_LT((mirrored.flip({2}) - view).abs().max().item<double>(), kOfBytes);
}

TEST(AveragedCrop, DoesNotAlias) {
  // Lines of one pixel, black and white, shrunk to a third: sampling would keep them black and white.
  const at::Tensor lines = at::arange(90, at::kLong).remainder(2).mul(255).to(at::kByte).expand({1, 90, 90});
  const at::Tensor view = averaged(lines.contiguous(), {}, {30, 30});
  EXPECT_LT((view - 127.5).abs().slice(2, 1, 29).max().item<double>(), 30.0);
}

TEST(AveragedCrop, TakesImagesSmallerThanItsFilter) {
  const at::Tensor image = random_images(1, 3, {1, 2})[0];
  EXPECT_TRUE(averaged(image, {}, {5, 7}).isfinite().all().item<bool>());
  EXPECT_TRUE(averaged(image, {0.9F, 0.0F, -0.8F, 1.0F}, {1, 1}).isfinite().all().item<bool>());
}

/// The largest distance between two cumulative distributions, of values rounded to millionths: quotients of the same
/// pixels.
double distance_of(std::vector<double> a, std::vector<double> b) {
  for (std::vector<double>* values : {&a, &b}) {
    for (double& value : *values) value = std::round(1e6 * value);
    std::sort(values->begin(), values->end());
  }
  const auto share_up_to = [](const std::vector<double>& values, double value) {
    const auto count = std::upper_bound(values.begin(), values.end(), value) - values.begin();
    return static_cast<double>(count) / static_cast<double>(values.size());
  };
  double most = 0.0;
  for (const double value : a) most = std::max(most, std::abs(share_up_to(a, value) - share_up_to(b, value)));
  return most;
}

// By Kolmogorov and Smirnov, equal distributions are further apart than 1.95 sqrt(2/n) once in a thousand times.
TEST(Crops, AreDistributedAsTorchvisionsAre) {
  constexpr std::int64_t kCount = 5000;
  const double far = 1.95 * std::sqrt(2.0 / kCount);
  for (const ImageSize size : {ImageSize{375, 500}, {400, 1300}, {256, 256}, {28, 28}, {9, 5}}) {
    AugmentationOptions options;
    options.crop_area_min = 0.08;
    CounterRng random(3, Purpose::kEvaluation, 0, 1);
    const auto width = static_cast<double>(size.width), height = static_cast<double>(size.height);
    std::vector<double> areas[2], aspects[2], lefts[2];
    for (const ViewParameters& drawn : draw_all(at::arange(kCount, at::kLong), {2, 0, 0}, options, size)) {
      const CropBox& crop = drawn.crop;
      const double share = std::abs(static_cast<double>(crop.width));
      areas[0].push_back(share * static_cast<double>(crop.height));
      aspects[0].push_back(share * width / (static_cast<double>(crop.height) * height));
      lefts[0].push_back(static_cast<double>(std::min(crop.left, crop.left + crop.width)));
    }
    for (std::int64_t i = 0; i < kCount; ++i) {
      const reference::PixelBox box = reference::plain_crop(random, size, options);
      areas[1].push_back(box.width * box.height / (width * height));
      aspects[1].push_back(box.width / box.height);
      lefts[1].push_back(box.left / width);
    }
    EXPECT_LT(distance_of(areas[0], areas[1]), far) << size.width;
    EXPECT_LT(distance_of(aspects[0], aspects[1]), far) << size.width;
    EXPECT_LT(distance_of(lefts[0], lefts[1]), far) << size.width;
  }
}

}  // namespace
}  // namespace negatron::testing

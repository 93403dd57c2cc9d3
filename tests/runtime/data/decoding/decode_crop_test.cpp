#include "runtime/data/decoding/decode_crop.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/data/view_parameters.h"
#include "runtime/data/views/averaged_crop.h"
#include "tests/runtime/data/decoding/made_images.h"

namespace negatron::testing {
namespace {

constexpr std::int64_t kHeight = 117;
constexpr std::int64_t kWidth = 203;

DecodedCrop cropped(const MadeFile& file, const CropWanted& crop, std::int64_t channels = 3) {
  DecodeOptions options;
  options.channels = channels;
  return decode_crop(file, crop, options, "crop");
}

/// A part with both sides between `least` and 1.
ImagePart random_part(std::mt19937& random, double least) {
  std::uniform_real_distribution<double> share(0.0, 1.0);
  ImagePart part;
  part.width = least + (1.0 - least) * share(random);
  part.height = least + (1.0 - least) * share(random);
  part.left = (1.0 - part.width) * share(random);
  part.top = (1.0 - part.height) * share(random);
  return part;
}

std::int64_t pixel(double share, std::int64_t side) {
  return std::lround(share * static_cast<double>(side));
}

/// The pixels of a decoded crop against the same of the whole image, and that they hold the crop.
void expect_pixels_of_whole(const DecodedCrop& crop, const at::Tensor& whole, const ImagePart& wanted) {
  const std::int64_t left = pixel(crop.part.left, whole.size(2));
  const std::int64_t top = pixel(crop.part.top, whole.size(1));
  const at::Tensor same = whole.narrow(1, top, crop.pixels.size(1)).narrow(2, left, crop.pixels.size(2));
  EXPECT_EQ((same.to(at::kInt) - crop.pixels.to(at::kInt)).abs().max().item<int>(), 0);
  constexpr double kRounding = 1e-9;
  EXPECT_LE(crop.part.left, wanted.left + kRounding);
  EXPECT_LE(crop.part.top, wanted.top + kRounding);
  EXPECT_GE(crop.part.left + crop.part.width, wanted.left + wanted.width - kRounding);
  EXPECT_GE(crop.part.top + crop.part.height, wanted.top + wanted.height - kRounding);
}

std::vector<MadeFile> kinds_of_jpeg() {
  JpegTraits halved;
  halved.half_resolution = true;
  halved.quality = 80;
  JpegTraits progressive = halved;
  progressive.progressive = true;
  JpegTraits restarts = halved;
  restarts.restart_interval = 3;
  JpegTraits ycck = halved;
  ycck.ycck = true;
  const at::Tensor colour = random_pixels(3, kHeight, kWidth);
  return {make_jpeg(colour),
          make_jpeg(colour, halved),
          make_jpeg(colour, progressive),
          make_jpeg(colour, restarts),
          make_jpeg(random_pixels(1, kHeight, kWidth)),
          make_jpeg(random_pixels(4, kHeight, kWidth), ycck)};
}

TEST(DecodeCrop, WithoutShrinkingPixelsAreThoseOfTheWholeImage) {
  std::mt19937 random(1);
  for (const MadeFile& file : kinds_of_jpeg()) {
    for (const std::int64_t channels : {1, 3}) {
      DecodeOptions options;
      options.channels = channels;
      const at::Tensor whole = decode_image(file, options, "whole");
      for (int i = 0; i < 60; ++i) {
        const ImagePart part = random_part(random, 0.02);
        expect_pixels_of_whole(cropped(file, {part, {kHeight, kWidth}}, channels), whole, part);
      }
    }
  }
}

TEST(DecodeCrop, DecodesLittleMoreThanTheCrop) {
  JpegTraits traits;
  traits.half_resolution = true;
  const MadeFile file = make_jpeg(smooth_pixels(3, 400, 600), traits);
  const DecodedCrop crop = cropped(file, {{0.5, 0.25, 0.25, 0.5}, {200, 150}});
  EXPECT_LE(crop.pixels.size(1), 200 + 6);
  EXPECT_LE(crop.pixels.size(2), 150 + 6);
  const DecodedCrop shrunk = cropped(file, {{0.5, 0.25, 0.25, 0.5}, {50, 37}});
  EXPECT_LE(shrunk.pixels.size(1), 50 + 6);
  EXPECT_LE(shrunk.pixels.size(2), 38 + 6);
}

TEST(DecodeCrop, IsTurnedAsTheImageIs) {
  std::mt19937 random(2);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    JpegTraits traits;
    traits.orientation = orientation;
    const MadeFile file = make_jpeg(random_pixels(3, kHeight, kWidth), traits);
    const at::Tensor whole = decode_image(file, {}, "whole");
    for (int i = 0; i < 20; ++i) {
      const ImagePart part = random_part(random, 0.1);
      expect_pixels_of_whole(cropped(file, {part, {kWidth, kWidth}}), whole, part);
    }
  }
}

TEST(DecodeCrop, OfTwoCropsTheRectangleAroundBothIsDecodedOnce) {
  JpegTraits traits;
  traits.orientation = 6;
  const MadeFile file = make_jpeg(random_pixels(3, kHeight, kWidth), traits);
  const at::Tensor whole = decode_image(file, {}, "whole");
  // The first would be shrunk by 2 and the second is not.
  const std::vector<CropWanted> crops = {{{0.1, 0.2, 0.5, 0.4}, {40, 20}}, {{0.3, 0.5, 0.3, 0.3}, {50, 30}}};
  const DecodedCrop both = decode_crops(
      file,
      [&](const ImageSize& size) {
        EXPECT_EQ(size, (ImageSize{whole.size(1), whole.size(2)}));
        return crops;
      },
      {}, "both");
  for (const CropWanted& crop : crops) expect_pixels_of_whole(both, whole, crop.part);
  EXPECT_LE(both.pixels.size(1), pixel(0.6, kWidth) + 6);
  EXPECT_LE(both.pixels.size(2), pixel(0.5, kHeight) + 6);
}

TEST(DecodeCrop, OtherFormatsAreDecodedWhole) {
  const at::Tensor pixels = random_pixels(3, 20, 30);
  for (const MadeFile& file : {make_plain_png(pixels), make_webp(pixels)}) {
    const DecodedCrop crop = cropped(file, {{0.5, 0.5, 0.25, 0.25}, {2, 2}});
    EXPECT_TRUE(crop.pixels.equal(pixels));
    EXPECT_EQ(crop.part.width, 1.0);
  }
}

/// [C, H, W] float: a crop averaged as views are, of pixels that lie at `place`.
at::Tensor averaged_from(const at::Tensor& pixels, const ImagePart& place, const CropWanted& crop) {
  const CropBox box{static_cast<float>(crop.part.left), static_cast<float>(crop.part.top),
                    static_cast<float>(crop.part.width), static_cast<float>(crop.part.height)};
  at::Tensor view = at::empty({pixels.size(0), crop.output.height, crop.output.width}, at::kFloat);
  average_crop(pixels, within(box, place), view);
  return view;
}

struct Distance {
  double mean = 0.0;
  double most = 0.0;
};

/// Between crops of what was decoded for them and the same of the whole image, over crops that shrink by `shrink` to
/// its double, and by up to three times as much along one side.
Distance distance_from_exact(const MadeFile& file, double shrink) {
  const at::Tensor whole = decode_image(file, {}, "whole");
  std::mt19937 random(3);
  Distance distance;
  constexpr int kCrops = 20;
  for (int i = 0; i < kCrops; ++i) {
    const ImagePart part = random_part(random, 0.5);
    const double further = shrink * (1.0 + static_cast<double>(i) / kCrops);
    const auto side = [&](double share, std::int64_t pixels, double by) {
      return std::max<std::int64_t>(1, static_cast<std::int64_t>(share * static_cast<double>(pixels) / by));
    };
    const double narrower = i % 3 == 0 ? 3.0 * further : further;
    const CropWanted crop{part, {side(part.height, whole.size(1), further), side(part.width, whole.size(2), narrower)}};
    const DecodedCrop decoded = cropped(file, crop);
    const at::Tensor apart = (averaged_from(decoded.pixels, decoded.part, crop) - averaged_from(whole, {}, crop)).abs();
    distance.mean += apart.mean().item<double>() / kCrops;
    distance.most = std::max(distance.most, apart.max().item<double>());
  }
  return distance;
}

TEST(DecodeCrop, WithoutShrinkingViewsAreThoseOfTheWholeImage) {
  // What is left is the rounding of coordinates, on images whose pixels have nothing to do with each other: nothing
  // that the filter looks at is missing.
  for (const MadeFile& file : kinds_of_jpeg()) {
    for (const double shrink : {0.3, 0.99 / 2}) {
      const Distance distance = distance_from_exact(file, shrink);
      EXPECT_LT(distance.most, 0.01);
    }
  }
}

TEST(DecodeCrop, ShrunkViewsAreNearTheExactOnes) {
  JpegTraits traits;
  traits.quality = 95;
  for (const bool half_resolution : {false, true}) {
    traits.half_resolution = half_resolution;
    const MadeFile file = make_jpeg(smooth_pixels(3, 375, 500), traits);
    for (const double shrink : {2.0, 4.0, 8.0}) {
      const Distance distance = distance_from_exact(file, shrink);
      EXPECT_LT(distance.mean, 0.7) << "shrunk by " << shrink;
      EXPECT_LT(distance.most, 4.0) << "shrunk by " << shrink;
    }
  }
}

TEST(DecodeCrop, EvenOfNoiseShrunkViewsStayNear) {
  // Nothing is worse for a mean of means than pixels that have nothing to do with each other.
  const MadeFile file = make_jpeg(random_pixels(3, 375, 500));
  for (const double shrink : {2.0, 4.0, 8.0}) {
    const Distance distance = distance_from_exact(file, shrink);
    EXPECT_LT(distance.mean, 11.0 / shrink) << "shrunk by " << shrink;
    EXPECT_LT(distance.most, 110.0 / shrink) << "shrunk by " << shrink;
  }
}

}  // namespace
}  // namespace negatron::testing

#include "runtime/data/augmentation.h"

#include <gtest/gtest.h>

#include "comm/share.h"
#include "runtime/data/view_parameters.h"
#include "runtime/data/views/view_recipe.h"
#include "tests/runtime/data/drawn_views.h"

namespace negatron::testing {
namespace {

const Normalization kUnit;  // bytes / 255

/// Views as large as the images.
at::Tensor views_of(const at::Tensor& images, const at::Tensor& ids, const ViewNumber& number,
                    const AugmentationOptions& options, const Normalization& normalization) {
  return augment(images, ids, number, options, {{images.size(2), images.size(3)}, normalization});
}

AugmentationOptions nothing() {
  return view_recipe("none");
}

AugmentationOptions everything() {
  AugmentationOptions options;
  options.blur_probability = 0.5;
  options.erase_probability = 0.5;
  options.saturation = options.hue = 0.3;
  options.grey_probability = options.solarise_probability = 0.3;
  return options;
}

TEST(Augmentation, ViewsAreTheSameBitsInAnySplitOfTheBatch) {
  constexpr std::int64_t kCount = 67;
  const at::Tensor images = random_images(kCount, 3);
  const at::Tensor ids = at::arange(1000, 1000 + kCount, at::kLong);
  const at::Tensor whole = views_of(images, ids, {9, 2, 1}, everything(), {0.3, 0.4});
  EXPECT_TRUE(whole.isfinite().all().item<bool>());
  for (const int ranks : {2, 3, 4, 67}) {
    for (int rank = 0; rank < ranks; ++rank) {
      const Range own = share(kCount, ranks, rank);
      const at::Tensor part = views_of(images.slice(0, own.begin, own.end), ids.slice(0, own.begin, own.end), {9, 2, 1},
                                       everything(), {0.3, 0.4});
      EXPECT_TRUE(part.equal(whole.slice(0, own.begin, own.end))) << "rank " << rank << " of " << ranks;
    }
  }
}

TEST(Augmentation, EachSampleViewEpochAndSeedDrawsItsOwn) {
  const at::Tensor images = random_images(1);
  const auto view = [&](std::int64_t id, std::uint64_t seed, std::int64_t epoch, int number) {
    return views_of(images, at::full({1}, id, at::kLong), {seed, epoch, number}, {}, kUnit);
  };
  const at::Tensor first = view(3, 1, 0, 0);
  EXPECT_TRUE(first.equal(view(3, 1, 0, 0)));
  EXPECT_FALSE(first.equal(view(4, 1, 0, 0)));
  EXPECT_FALSE(first.equal(view(3, 2, 0, 0)));
  EXPECT_FALSE(first.equal(view(3, 1, 1, 0)));
  EXPECT_FALSE(first.equal(view(3, 1, 0, 1)));
}

TEST(Augmentation, ChangesNothingWhenAllIsOff) {
  const at::Tensor images = random_images(4);
  const at::Tensor views = views_of(images, at::arange(4, at::kLong), {1, 0, 0}, nothing(), {0.25, 0.5});
  EXPECT_LT((views - Normalization{0.25, 0.5}.apply(images)).abs().max().item<double>(), 1e-4);
}

TEST(Augmentation, FlipsLeftAndRight) {
  AugmentationOptions options = nothing();
  options.flip_probability = 1.0;
  const at::Tensor images = random_images(4);
  const at::Tensor views = views_of(images, at::arange(4, at::kLong), {1, 0, 0}, options, kUnit);
  EXPECT_LT((views - kUnit.apply(images).flip({3})).abs().max().item<double>(), 1e-4);
}

TEST(Augmentation, CropsTheBoxThatWasDrawn) {
  // Bilinear sampling of a ramp is exact wherever it does not touch the border.
  constexpr std::int64_t kCount = 50;
  const at::Tensor ramp = at::arange(28, at::kLong).mul_(9).to(at::kByte);
  const at::Tensor images = ramp.expand({kCount, 1, 28, 28}).contiguous();  // brightness runs with x
  AugmentationOptions options;
  options.jitter_probability = 0.0;
  const at::Tensor ids = at::arange(kCount, at::kLong);
  const std::vector<ViewParameters> drawn = draw_all(ids, {4, 0, 0}, options);
  const auto of_crops = [&](float CropBox::*part) {
    return values_of(drawn, [part](const ViewParameters& one) { return one.crop.*part; });
  };
  const auto check = [&](const at::Tensor& views, const at::Tensor& start, const at::Tensor& extent) {
    const at::Tensor middles = (at::arange(28, at::kFloat) + 0.5) / 28;
    const at::Tensor position = (start.unsqueeze(1) + extent.unsqueeze(1) * middles) * 28 - 0.5;  // [b, 28] in pixels
    const at::Tensor expected = position.clamp(0, 27) * 9.0 / 255.0;
    EXPECT_LT((views - expected).abs().max().item<double>(), 1e-4);
  };
  check(views_of(images, ids, {4, 0, 0}, options, kUnit).select(2, 13).squeeze(1), of_crops(&CropBox::left),
        of_crops(&CropBox::width));
  const at::Tensor turned = images.transpose(2, 3).contiguous();
  check(views_of(turned, ids, {4, 0, 0}, options, kUnit).select(3, 13).squeeze(1), of_crops(&CropBox::top),
        of_crops(&CropBox::height));
}

TEST(Augmentation, DrawsWithinItsOptions) {
  constexpr std::int64_t kCount = 4000;
  const AugmentationOptions options = everything();
  const std::vector<ViewParameters> drawn = draw_all(at::arange(kCount, at::kLong), {11, 0, 0}, options);
  const auto all = [&](auto value) { return values_of(drawn, value); };
  const at::Tensor signed_width = all([](const auto& one) { return one.crop.width; });
  const at::Tensor start = all([](const auto& one) { return one.crop.left; });
  const at::Tensor top = all([](const auto& one) { return one.crop.top; });
  const at::Tensor height = all([](const auto& one) { return one.crop.height; });
  const at::Tensor contrast = all([](const auto& one) { return one.contrast; });
  const at::Tensor width = signed_width.abs();
  const at::Tensor left = at::minimum(start, start + signed_width);
  EXPECT_GE(left.min().item<double>(), -1e-6);
  EXPECT_LE((left + width).max().item<double>(), 1.0 + 1e-6);
  EXPECT_GE(top.min().item<double>(), 0.0);
  EXPECT_LE((top + height).max().item<double>(), 1.0 + 1e-6);
  for (const at::Tensor& part : {left, top, width, height}) {
    EXPECT_LT((28 * part - (28 * part).round()).abs().max().item<double>(), 1e-4);
  }
  // Of lengths that were rounded, each by up to half a pixel. A fifth of the area has sides of 12.5 pixels, or of 10.8
  // and 14.5 at an aspect of 4/3.
  const at::Tensor area = width * height;
  EXPECT_GT(area.min().item<double>(), 0.2 - 13.0 / 784);
  EXPECT_LT(area.min().item<double>(), 0.21);
  EXPECT_GT(area.max().item<double>(), 0.95);
  const at::Tensor aspect = width / height;
  EXPECT_GE(aspect.min().item<double>(), 10.3 / 15.0);
  EXPECT_LE(aspect.max().item<double>(), 15.0 / 10.3);
  // Shares of 4000 draws: five standard deviations are 0.04 or less.
  EXPECT_NEAR(signed_width.lt(0).to(at::kDouble).mean().item<double>(), 0.5, 0.04);
  EXPECT_NEAR(all([](const auto& one) { return one.brightness; }).ne(1).to(at::kDouble).mean().item<double>(), 0.8,
              0.04);
  EXPECT_NEAR(all([](const auto& one) { return one.blur_sigma; }).gt(0).to(at::kDouble).mean().item<double>(), 0.5,
              0.04);
  EXPECT_GE(contrast.min().item<double>(), 0.6);
  EXPECT_LE(contrast.max().item<double>(), 1.4);
}

TEST(Augmentation, SwitchingOneEffectLeavesTheOthers) {
  const at::Tensor ids = at::arange(20, at::kLong);
  AugmentationOptions off;
  off.flip_probability = 0.0;
  AugmentationOptions on = everything();
  on.flip_probability = 0.0;
  const std::vector<ViewParameters> plain = draw_all(ids, {1, 0, 0}, off);
  const std::vector<ViewParameters> full = draw_all(ids, {1, 0, 0}, on);
  for (std::size_t i = 0; i < plain.size(); ++i) {
    EXPECT_EQ(plain[i].crop.left, full[i].crop.left);
    EXPECT_EQ(plain[i].brightness, full[i].brightness);
    EXPECT_EQ(plain[i].order, full[i].order);
  }
}

TEST(Augmentation, BrightnessScalesAndContrastKeepsTheMean) {
  AugmentationOptions options = nothing();
  options.jitter_probability = 1.0;
  options.contrast = 0.0;
  const at::Tensor flat = at::full({40, 1, 28, 28}, 100, at::kByte);
  const at::Tensor ids = at::arange(40, at::kLong);
  const at::Tensor brightness =
      values_of(draw_all(ids, {3, 0, 0}, options), [](const auto& one) { return one.brightness; });
  const at::Tensor bright = views_of(flat, ids, {3, 0, 0}, options, kUnit).select(3, 5).select(2, 5).squeeze(1);
  EXPECT_LT((bright - brightness * (100.0 / 255)).abs().max().item<double>(), 1e-5);
  EXPECT_GT(bright.std().item<double>(), 0.02);

  options.brightness = 0.0;
  options.contrast = 0.4;
  const at::Tensor grey = random_images(40).div(2, "trunc").add_(64);  // 64..191: contrast 1.4 does not clip
  const at::Tensor contrasted = views_of(grey, ids, {3, 0, 0}, options, kUnit);
  const at::Tensor factors = values_of(draw_all(ids, {3, 0, 0}, options), [](const auto& one) { return one.contrast; });
  const at::Tensor before = kUnit.apply(grey);
  EXPECT_LT((contrasted.mean({1, 2, 3}) - before.mean({1, 2, 3})).abs().max().item<double>(), 1e-4);
  const at::Tensor spread = contrasted.flatten(1).std(1) / before.flatten(1).std(1);
  EXPECT_LT((spread - factors).abs().max().item<double>(), 1e-3);
}

TEST(Augmentation, BlurSpreadsAPointAsAGaussian) {
  AugmentationOptions options = nothing();
  options.blur_probability = 1.0;
  options.blur_sigma_min = options.blur_sigma_max = 0.8;
  at::Tensor point = at::zeros({2, 1, 28, 28}, at::kByte);
  point.select(3, 14).select(2, 14).fill_(255);
  const at::Tensor view = views_of(point, at::arange(2, at::kLong), {1, 0, 0}, options, kUnit)[0][0];
  EXPECT_NEAR(view.sum().item<double>(), 1.0, 1e-3);
  const double centre = view[14][14].item<double>();
  EXPECT_NEAR(view[14][15].item<double>() / centre, std::exp(-0.5 / 0.64), 1e-3);
  EXPECT_NEAR(view[16][14].item<double>() / centre, std::exp(-2.0 / 0.64), 1e-3);
  EXPECT_NEAR(view[15][15].item<double>() / centre, std::exp(-1.0 / 0.64), 1e-3);
  const at::Tensor flat = at::full({1, 1, 28, 28}, 77, at::kByte);
  const at::Tensor still = views_of(flat, at::zeros({1}, at::kLong), {1, 0, 0}, options, kUnit);
  EXPECT_LT((still - 77.0 / 255).abs().max().item<double>(), 1e-4);
}

TEST(Augmentation, ErasesARectangle) {
  AugmentationOptions options = nothing();
  options.erase_probability = 1.0;
  options.erase_area_min = options.erase_area_max = 0.1;
  const at::Tensor white = at::full({30, 1, 28, 28}, 255, at::kByte);
  const at::Tensor views = views_of(white, at::arange(30, at::kLong), {1, 0, 0}, options, kUnit);
  const at::Tensor erased = views.eq(0).to(at::kDouble).mean({1, 2, 3});
  // Edges fall between pixels: up to half a row and half a column on each side.
  EXPECT_GT(erased.min().item<double>(), 0.06);
  EXPECT_LT(erased.max().item<double>(), 0.14);
}

TEST(Augmentation, TakesNoImagesAndRefusesWrongOnes) {
  EXPECT_EQ(views_of(random_images(0), at::empty({0}, at::kLong), {1, 0, 0}, everything(), kUnit).sizes(),
            at::IntArrayRef({0, 1, 28, 28}));
  EXPECT_THROW(views_of(random_images(2), at::zeros({3}, at::kLong), {1, 0, 0}, {}, kUnit), std::invalid_argument);
  EXPECT_THROW(views_of(random_images(2).to(at::kFloat), at::zeros({2}, at::kLong), {1, 0, 0}, {}, kUnit),
               std::invalid_argument);
  EXPECT_THROW(views_of(random_images(2), at::zeros({2}, at::kLong), {1, 0, 2}, {}, kUnit), std::invalid_argument);
}

TEST(Augmentation, ViewsHaveTheSizeThatIsAskedFor) {
  // A ramp over the width, sampled at the middles of 14 pixels: the means of neighbours.
  const at::Tensor ramp = at::arange(28, at::kLong).mul_(9).to(at::kByte);
  const at::Tensor images = ramp.expand({2, 3, 20, 28}).contiguous();
  const ViewFormat format{{40, 14}, kUnit};
  const at::Tensor views = augment(images, at::arange(2, at::kLong), {1, 0, 0}, nothing(), format);
  ASSERT_EQ(views.sizes(), at::IntArrayRef({2, 3, 40, 14}));
  const at::Tensor expected = (at::arange(14, at::kFloat) * 2 + 0.5) * 9.0 / 255.0;
  // What lies outside the image does not count, so that the first and the last are nearer to the middle.
  EXPECT_LT((views - expected).slice(3, 1, 13).abs().max().item<double>(), 1e-4);
  EXPECT_NEAR(views[0][0][20][0].item<double>(), (0 * 3 + 1 * 3 + 2 * 1) / 7.0 * 9 / 255, 1e-6);
}

TEST(Augmentation, ImagesOfDifferingSizesGiveTheViewsThatEachGivesAlone) {
  std::vector<at::Tensor> images;
  for (std::int64_t i = 0; i < 6; ++i) images.push_back(random_images(1, 3)[0].slice(1, 0, 9 + 3 * i).slice(2, i, 28));
  const at::Tensor ids = at::arange(70, 76, at::kLong);
  const ViewFormat format{{16, 12}, {{0.2, 0.3, 0.4}, {0.5, 0.6, 0.7}}};
  const at::Tensor views = augment(DecodedImages(images), ids, {3, 1, 1}, everything(), format);
  ASSERT_EQ(views.sizes(), at::IntArrayRef({6, 3, 16, 12}));
  for (std::int64_t i = 0; i < 6; ++i) {
    const at::Tensor alone =
        augment(images[static_cast<std::size_t>(i)].unsqueeze(0), ids.narrow(0, i, 1), {3, 1, 1}, everything(), format);
    EXPECT_TRUE(alone.equal(views.narrow(0, i, 1))) << "image " << i;
  }
}

TEST(Augmentation, ValidatesItsOptions) {
  const auto refuse = [](const std::function<void(AugmentationOptions&)>& change) {
    AugmentationOptions options;
    options.validate();
    change(options);
    EXPECT_THROW(options.validate(), std::invalid_argument);
  };
  refuse([](auto& o) { o.crop_area_min = 0.0; });
  refuse([](auto& o) { o.crop_area_min = 0.9, o.crop_area_max = 0.8; });
  refuse([](auto& o) { o.crop_area_max = std::nan(""); });
  refuse([](auto& o) { o.crop_aspect_min = -1.0; });
  refuse([](auto& o) { o.flip_probability = 1.5; });
  refuse([](auto& o) { o.jitter_probability = std::nan(""); });
  refuse([](auto& o) { o.brightness = 1.1; });
  refuse([](auto& o) { o.contrast = -0.1; });
  refuse([](auto& o) { o.saturation = 1.1; });
  refuse([](auto& o) { o.hue = 0.6; });
  refuse([](auto& o) { o.grey_probability = -0.1; });
  refuse([](auto& o) { o.solarise_probability = 2; });
  refuse([](auto& o) { o.second_blur_probability = 1.5; });
  refuse([](auto& o) { o.second_solarise_probability = std::nan(""); });
  refuse([](auto& o) { o.blur_probability = -1; });
  refuse([](auto& o) { o.blur_sigma_min = 0.0; });
  refuse([](auto& o) { o.erase_probability = 2; });
  refuse([](auto& o) { o.erase_area_max = 1.5; });
}

}  // namespace
}  // namespace negatron::testing

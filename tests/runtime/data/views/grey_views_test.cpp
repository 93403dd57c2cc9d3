// Grey views have the bits that LibTorch's own operations make.

#include <gtest/gtest.h>

#include "runtime/data/views/make_views.h"
#include "tests/reference/plain_views.h"
#include "tests/runtime/data/drawn_views.h"

namespace negatron::testing {
namespace {

void expect_same_bits(const AugmentationOptions& options, std::int64_t count, const ImageSize& image,
                      const ImageSize& view) {
  const at::Tensor images = random_images(count, 1, image);
  const at::Tensor ids = at::arange(50, 50 + count, at::kLong);
  const ViewFormat format{view, {0.286, 0.353}};
  for (const int number : {0, 1}) {
    const std::vector<ViewParameters> drawn = draw_all(ids, {7, 3, number}, options, image);
    const at::Tensor views = augment(images, ids, {7, 3, number}, options, format);
    EXPECT_TRUE(views.equal(reference::plain_grey_views(images, drawn, options, format))) << "view " << number;
  }
}

TEST(GreyViews, OfTheDefaultsHaveThePlainBits) {
  expect_same_bits({}, 256, {28, 28}, {28, 28});
}

TEST(GreyViews, OfEveryEffectHaveThePlainBits) {
  AugmentationOptions options;
  options.blur_probability = options.erase_probability = 0.5;
  expect_same_bits(options, 400, {28, 28}, {28, 28});
  options.blur_sigma_max = 2.0;
  options.erase_area_max = 0.6;
  expect_same_bits(options, 30, {61, 61}, {61, 61});
  expect_same_bits(options, 30, {33, 33}, {70, 40});
  options.brightness = 0.0;
  expect_same_bits(options, 30, {28, 28}, {28, 28});
  options.brightness = 0.4;
  options.contrast = 0.0;
  expect_same_bits(options, 30, {28, 28}, {28, 28});
  options.jitter_probability = 0.0;
  expect_same_bits(options, 30, {28, 28}, {28, 28});
}

// What is drawn for a sample is part of what a run is.
TEST(GreyViews, AreDrawnAsTheyWere) {
  AugmentationOptions options;
  options.blur_probability = options.erase_probability = 0.5;
  const std::vector<ViewParameters> drawn = draw_all(at::arange(3, at::kLong), {7, 1, 1}, options);
  EXPECT_FLOAT_EQ(drawn[0].crop.left, 27.0F / 28);
  EXPECT_FLOAT_EQ(drawn[0].crop.top, 11.0F / 28);
  EXPECT_FLOAT_EQ(drawn[0].crop.width, -17.0F / 28);
  EXPECT_FLOAT_EQ(drawn[0].crop.height, 17.0F / 28);
  EXPECT_FLOAT_EQ(drawn[0].brightness, 0.648776472F);
  EXPECT_FLOAT_EQ(drawn[0].contrast, 0.846660733F);
  EXPECT_EQ(drawn[0].blur_sigma, 0.0);
  EXPECT_DOUBLE_EQ(drawn[1].blur_sigma, 0.32532600011745727);
  EXPECT_EQ(drawn[1].erased.right, drawn[1].erased.left);
  EXPECT_FLOAT_EQ(drawn[2].erased.left, 0.697141528F);
  EXPECT_FLOAT_EQ(drawn[2].erased.bottom, 0.592378736F);
}

}  // namespace
}  // namespace negatron::testing

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include <gtest/gtest.h>

#include "comm/share.h"
#include "runtime/data/views/colour_jitter.h"
#include "runtime/data/views/colour_kernel.h"
#include "tests/reference/plain_views.h"
#include "tests/runtime/data/drawn_views.h"

namespace negatron::testing {
namespace {

using reference::Colour;

constexpr double kRounding = 1e-5;

/// [1, 3, H, W] in 0..1: random colours, and pixels that are grey, black, white, pure, or have two equal channels.
at::Tensor colourful_view() {
  at::Tensor view = random_images(1, 3, {37, 41}).to(at::kFloat) / 255.0;
  const std::vector<std::vector<float>> special = {
      {0, 0, 0}, {1, 1, 1}, {0.3F, 0.3F, 0.3F}, {1, 0, 0},          {0, 1, 0},          {0, 0, 1},         {1, 1, 0},
      {0, 1, 1}, {1, 0, 1}, {0.5F, 0.5F, 0},    {0.2F, 0.7F, 0.7F}, {0.9F, 0.1F, 0.9F}, {0.1F, 0.1F, 0.9F}};
  for (std::size_t i = 0; i < special.size(); ++i) {
    view[0].select(2, static_cast<std::int64_t>(i)).select(1, 3).copy_(at::tensor(special[i]));
  }
  return view;
}

/// Whether each pixel is what `plain` makes of it.
void expect_pixels(const at::Tensor& changed, const at::Tensor& before, const std::function<Colour(Colour)>& plain) {
  const at::Tensor from = before[0].flatten(1).to(at::kDouble).contiguous();
  const at::Tensor to = changed[0].flatten(1).to(at::kDouble).contiguous();
  const auto in = from.accessor<double, 2>(), out = to.accessor<double, 2>();
  double worst = 0.0;
  for (std::int64_t i = 0; i < from.size(1); ++i) {
    const Colour expected = plain({in[0][i], in[1][i], in[2][i]});
    for (std::int64_t c = 0; c < 3; ++c) {
      worst = std::max(worst, std::abs(out[c][i] - expected[static_cast<std::size_t>(c)]));
    }
  }
  EXPECT_LT(worst, kRounding);
}

at::Tensor changed(const at::Tensor& view, const std::function<void(ViewParameters&)>& set) {
  at::Tensor copy = view.clone();
  std::vector<ViewParameters> drawn(static_cast<std::size_t>(view.size(0)));
  for (ViewParameters& one : drawn) set(one);
  change_colours(copy, drawn);
  return copy;
}

TEST(ColourViews, TurnTheHueAsPilDoes) {
  const at::Tensor view = colourful_view();
  for (const float turns : {-0.5F, -0.37F, -0.1F, -0.001F, 0.02F, 0.1F, 0.25F, 0.49F, 0.5F}) {
    const at::Tensor turned = changed(view, [&](ViewParameters& drawn) { drawn.hue = turns; });
    expect_pixels(turned, view, [&](const Colour& rgb) { return reference::plain_hue(rgb, turns); });
    EXPECT_GE(turned.min().item<double>(), 0.0);
    EXPECT_LE(turned.max().item<double>(), 1.0);
  }
}

TEST(ColourViews, ThePlainHueIsItsOwnInverse) {
  for (const Colour& rgb : {Colour{0.2, 0.5, 0.7}, Colour{0.4, 0.4, 0.4}, Colour{1, 0, 0.3}, Colour{0, 0, 0}}) {
    const Colour back = reference::plain_rgb(reference::plain_hsv(rgb));
    for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(back[i], rgb[i], 1e-12);
  }
  const Colour orange = reference::plain_hue({1.0, 0.5, 0.0}, 1.0 / 3.0);
  EXPECT_NEAR(orange[0], 0.0, 1e-12);
  EXPECT_NEAR(orange[1], 1.0, 1e-12);
  EXPECT_NEAR(orange[2], 0.5, 1e-12);
}

TEST(ColourViews, ChangeSaturationContrastAndBrightnessAsTorchvisionDoes) {
  const at::Tensor view = colourful_view();
  const at::Tensor weights = at::tensor({0.299, 0.587, 0.114}).to(at::kDouble).view({1, 3, 1, 1});
  const double mean = (view.to(at::kDouble) * weights).sum(1).mean().item<double>();
  for (const float factor : {0.0F, 0.2F, 0.9F, 1.3F, 1.8F}) {
    expect_pixels(changed(view, [&](ViewParameters& drawn) { drawn.saturation = factor; }), view,
                  [&](const Colour& rgb) { return reference::plain_saturation(rgb, factor); });
    expect_pixels(changed(view, [&](ViewParameters& drawn) { drawn.contrast = factor; }), view,
                  [&](const Colour& rgb) { return reference::plain_contrast(rgb, factor, mean); });
    expect_pixels(changed(view, [&](ViewParameters& drawn) { drawn.brightness = factor; }), view,
                  [&](const Colour& rgb) { return reference::plain_brightness(rgb, factor); });
  }
}

TEST(ColourViews, BecomeGreyAndStayGrey) {
  const at::Tensor view = colourful_view();
  const at::Tensor grey = changed(view, [](ViewParameters& drawn) { drawn.grey = true; });
  expect_pixels(grey, view, [](const Colour& rgb) {
    const double value = reference::plain_grey(rgb);
    return Colour{value, value, value};
  });
  EXPECT_TRUE(grey.select(1, 0).equal(grey.select(1, 2)));
  // Hue and saturation of what is grey are nothing to change.
  const at::Tensor still = changed(grey, [](ViewParameters& drawn) { drawn.hue = 0.3F, drawn.saturation = 1.7F; });
  EXPECT_LT((still - grey).abs().max().item<double>(), 1e-6);
}

TEST(ColourViews, AreTheSameBitsWhereFactorsAreOne) {
  const at::Tensor view = colourful_view();
  EXPECT_TRUE(changed(view, [](ViewParameters&) {}).equal(view));
  std::vector<float> values = {0.0F, 0.1F, 0.9F, 1.0F};
  const std::vector<float> before = values;
  multiply_values(values.data(), 4, 1.0F);
  EXPECT_EQ(values, before);
  blend_with_value(values.data(), 4, 1.0F, 0.4F);
  EXPECT_EQ(values, before);
}

TEST(ColourViews, AreInvertedFrom128On) {
  at::Tensor view = at::arange(256, at::kFloat).mul_(1.0 / 255.0).view({1, 1, 16, 16});
  solarise_views(view, std::vector<ViewParameters>(1));
  EXPECT_NEAR(view.flatten()[200].item<double>(), 200.0 / 255, 1e-6);
  std::vector<ViewParameters> drawn(1);
  drawn.front().solarised = true;
  solarise_views(view, drawn);
  for (std::int64_t byte = 0; byte < 256; ++byte) {
    EXPECT_NEAR(view.flatten()[byte].item<double>() * 255, static_cast<double>(byte < 128 ? byte : 255 - byte), 1e-3)
        << byte;
  }
}

TEST(ColourViews, TakeTheirChangesInTheDrawnOrder) {
  const at::Tensor view = colourful_view();
  const auto in_order = [&](std::array<ColourChange, 4> order) {
    return changed(view, [&](ViewParameters& drawn) {
      drawn.order = order;
      drawn.brightness = 1.4F, drawn.contrast = 0.7F, drawn.saturation = 1.6F, drawn.hue = 0.1F;
    });
  };
  const auto alone = [&](at::Tensor from, const std::function<void(ViewParameters&)>& set) {
    return changed(from, set);
  };
  using enum ColourChange;
  at::Tensor step = alone(view, [](auto& drawn) { drawn.hue = 0.1F; });
  step = alone(step, [](auto& drawn) { drawn.contrast = 0.7F; });
  step = alone(step, [](auto& drawn) { drawn.brightness = 1.4F; });
  step = alone(step, [](auto& drawn) { drawn.saturation = 1.6F; });
  EXPECT_TRUE(in_order({kHue, kContrast, kBrightness, kSaturation}).equal(step));
  EXPECT_FALSE(in_order({kBrightness, kContrast, kSaturation, kHue}).equal(step));
}

AugmentationOptions all_colours() {
  AugmentationOptions options;
  options.saturation = 0.3;
  options.hue = 0.2;
  options.grey_probability = 0.2;
  options.solarise_probability = 0.1;
  options.second_solarise_probability = 0.4;
  options.blur_probability = 0.9;
  options.second_blur_probability = 0.3;
  return options;
}

// Shares of 6,000 draws: five standard deviations are 0.033 or less.
TEST(ColourViews, AreDrawnAsTorchvisionDrawsThem) {
  constexpr std::int64_t kCount = 6000;
  const auto drawn = draw_all(at::arange(kCount, at::kLong), {11, 0, 0}, all_colours());
  std::map<std::array<ColourChange, 4>, std::int64_t> orders;
  double least_hue = 1.0, most_hue = -1.0, mean_hue = 0.0, least_saturation = 2.0, most_saturation = 0.0;
  std::int64_t jittered = 0, grey = 0, solarised = 0;
  for (const ViewParameters& one : drawn) {
    ++orders[one.order];
    grey += one.grey;
    solarised += one.solarised;
    if (!one.jittered) {
      EXPECT_EQ(one.hue, 0.0F);
      EXPECT_EQ(one.saturation, 1.0F);
      continue;
    }
    ++jittered;
    mean_hue += static_cast<double>(one.hue);
    least_hue = std::min(least_hue, static_cast<double>(one.hue));
    most_hue = std::max(most_hue, static_cast<double>(one.hue));
    least_saturation = std::min(least_saturation, static_cast<double>(one.saturation));
    most_saturation = std::max(most_saturation, static_cast<double>(one.saturation));
  }
  EXPECT_EQ(orders.size(), 24U);
  // 250 each, with a standard deviation of 15.5.
  for (const auto& [order, count] : orders) EXPECT_NEAR(static_cast<double>(count), kCount / 24.0, 78.0);
  EXPECT_NEAR(static_cast<double>(jittered) / kCount, 0.8, 0.033);
  EXPECT_NEAR(static_cast<double>(grey) / kCount, 0.2, 0.033);
  EXPECT_NEAR(static_cast<double>(solarised) / kCount, 0.1, 0.033);
  EXPECT_NEAR(mean_hue / static_cast<double>(jittered), 0.0, 0.01);
  EXPECT_NEAR(least_hue, -0.2, 0.002);
  EXPECT_NEAR(most_hue, 0.2, 0.002);
  EXPECT_NEAR(least_saturation, 0.7, 0.003);
  EXPECT_NEAR(most_saturation, 1.3, 0.003);
}

TEST(ColourViews, OfTheSecondHaveTheirOwnChances) {
  constexpr std::int64_t kCount = 4000;
  const at::Tensor ids = at::arange(kCount, at::kLong);
  const auto share_of = [&](int view, auto value) {
    const at::Tensor values = values_of(draw_all(ids, {11, 0, view}, all_colours()), value);
    return static_cast<double>(values.count_nonzero().item().toLong()) / kCount;
  };
  const auto blurred = [](const ViewParameters& one) { return one.blur_sigma; };
  const auto solarised = [](const ViewParameters& one) { return one.solarised ? 1.0 : 0.0; };
  EXPECT_NEAR(share_of(0, blurred), 0.9, 0.04);
  EXPECT_NEAR(share_of(1, blurred), 0.3, 0.04);
  EXPECT_NEAR(share_of(0, solarised), 0.1, 0.04);
  EXPECT_NEAR(share_of(1, solarised), 0.4, 0.04);
}

TEST(ColourViews, AreTheSameBitsInAnySplitOfTheBatch) {
  // 64 x 64 colours pass 10 at a time.
  constexpr std::int64_t kCount = 23;
  const at::Tensor images = random_images(kCount, 3, {90, 120});
  const at::Tensor ids = at::arange(1000, 1000 + kCount, at::kLong);
  const ViewFormat format{{64, 64}, {{0.4, 0.5, 0.6}, {0.2, 0.3, 0.2}}};
  const at::Tensor whole = augment(images, ids, {9, 2, 1}, all_colours(), format);
  EXPECT_TRUE(whole.isfinite().all().item<bool>());
  for (const int ranks : {2, 5, 23}) {
    for (int rank = 0; rank < ranks; ++rank) {
      const Range own = share(kCount, ranks, rank);
      const at::Tensor part = augment(images.slice(0, own.begin, own.end), ids.slice(0, own.begin, own.end), {9, 2, 1},
                                      all_colours(), format);
      EXPECT_TRUE(part.equal(whole.slice(0, own.begin, own.end))) << "rank " << rank << " of " << ranks;
    }
  }
}

}  // namespace
}  // namespace negatron::testing

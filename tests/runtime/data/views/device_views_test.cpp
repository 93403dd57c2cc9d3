// Views by LibTorch's operators beside those of the host's loops.

#include <functional>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "runtime/data/device_views/padded_images.h"
#include "runtime/data/device_views/tensor_views.h"
#include "runtime/data/views/make_views.h"
#include "runtime/data/views/view_recipe.h"
#include "tests/runtime/data/drawn_views.h"

namespace negatron::testing {
namespace {

/// Of values that are normalised, with a deviation of a quarter.
constexpr double kOtherSums = 5e-5;
/// So far do two values lie apart that are one before and one behind the threshold of solarising.
constexpr double kOverTheThreshold = 0.02;

/// Smaller and larger than the views, high, wide, and of one line.
std::vector<at::Tensor> images_of_many_sizes(std::int64_t channels) {
  std::vector<at::Tensor> images;
  for (const ImageSize size : {ImageSize{40, 60}, {33, 33}, {20, 70}, {90, 11}, {1, 50}, {32, 32}, {150, 140}}) {
    for (int i = 0; i < 4; ++i) images.push_back(random_images(1, channels, size)[0]);
  }
  return images;
}

struct BothViews {
  at::Tensor host, tensors;
};

BothViews make_both(const std::vector<at::Tensor>& images, const AugmentationOptions& options, const ImageSize& size,
                    int view) {
  const auto count = static_cast<std::int64_t>(images.size());
  std::vector<ViewParameters> drawn;
  for (std::int64_t i = 0; i < count; ++i) {
    const at::Tensor& image = images[static_cast<std::size_t>(i)];
    drawn.push_back(draw_view_parameters(i, {6, 1, view}, options, {image.size(1), image.size(2)}));
  }
  const ViewFormat format{size, {0.5, 0.25}};
  at::Tensor host = at::empty({count, images.front().size(0), size.height, size.width}, at::kFloat);
  make_views(DecodedImages(images), drawn, options, format.normalization, host);
  return {host, make_tensor_views(bring_images(images, at::kCPU), drawn, options, format)};
}

using Effect = std::pair<std::string, std::function<void(AugmentationOptions&)>>;

const std::vector<Effect>& effects() {
  static const std::vector<Effect> all = {
      {"whole", [](auto&) {}},
      {"crop", [](auto& o) { o.crop_area_min = 0.05, o.crop_aspect_min = 0.5, o.crop_aspect_max = 2.0; }},
      {"flip", [](auto& o) { o.flip_probability = 0.5; }},
      {"brightness", [](auto& o) { o.jitter_probability = 0.8, o.brightness = 0.6, o.contrast = 0; }},
      {"contrast", [](auto& o) { o.jitter_probability = 0.8, o.brightness = 0, o.contrast = 0.6; }},
      {"saturation", [](auto& o) { o.jitter_probability = 0.8, o.brightness = o.contrast = 0, o.saturation = 0.8; }},
      {"hue", [](auto& o) { o.jitter_probability = 0.8, o.brightness = o.contrast = 0, o.hue = 0.5; }},
      {"all colours", [](auto& o) { o.jitter_probability = 0.9, o.saturation = o.brightness, o.hue = 0.3; }},
      {"grey", [](auto& o) { o.grey_probability = 0.5; }},
      {"blur", [](auto& o) { o.blur_probability = 0.6, o.blur_sigma_max = 3; }},
      {"erase", [](auto& o) { o.erase_probability = 0.6; }},
      {"moco-v2", [](auto& o) { o = view_recipe("moco-v2"); }},
      {"simclr", [](auto& o) { o = view_recipe("simclr"); }},
      {"grey recipe", [](auto& o) { o = view_recipe("grey"); }},
  };
  return all;
}

AugmentationOptions with(const Effect& effect) {
  AugmentationOptions options = view_recipe("none");
  options.brightness = options.contrast = 0.4;
  effect.second(options);
  return options;
}

TEST(TensorViews, AreTheHostsWhateverWasDrawn) {
  for (const std::int64_t channels : {1, 3, 4}) {
    const std::vector<at::Tensor> images = images_of_many_sizes(channels);
    for (const Effect& effect : effects()) {
      for (const ImageSize size : {ImageSize{32, 32}, {24, 16}, {1, 9}}) {
        const auto [host, tensors] = make_both(images, with(effect), size, 0);
        EXPECT_LT((host - tensors).abs().max().item<double>(), kOtherSums)
            << effect.first << ", " << channels << " channels, " << size.height << " x " << size.width;
      }
    }
  }
}

TEST(TensorViews, SolariseWhatTheHostDoesButForValuesAtTheThreshold) {
  AugmentationOptions options = view_recipe("none");
  options.solarise_probability = 0.5;
  for (const AugmentationOptions& drawn : {options, view_recipe("byol")}) {
    const auto [host, tensors] = make_both(images_of_many_sizes(3), drawn, {32, 32}, 1);
    const at::Tensor distance = (host - tensors).abs();
    EXPECT_LT(distance.gt(kOtherSums).to(at::kDouble).mean().item<double>(), 1e-3);
    EXPECT_LT(distance.max().item<double>(), kOverTheThreshold);
  }
}

TEST(TensorViews, AreTheSameToRoundingWhateverTheyAreMadeWith) {
  const std::vector<at::Tensor> images = images_of_many_sizes(3);
  const AugmentationOptions options = view_recipe("moco-v2");
  const at::Tensor together = make_both(images, options, {32, 32}, 0).tensors;
  const at::Tensor fewer = make_both({images.begin(), images.begin() + 5}, options, {32, 32}, 0).tensors;
  EXPECT_LT((together.slice(0, 0, 5) - fewer).abs().max().item<double>(), kOtherSums);
}

TEST(PaddedImages, KeepEachImageInItsCorner) {
  const std::vector<at::Tensor> images = images_of_many_sizes(3);
  const PaddedImages padded = bring_images(images, at::kCPU);
  EXPECT_EQ(padded.pixels.sizes(), at::IntArrayRef({28, 3, 150, 140}));
  for (std::size_t i = 0; i < images.size(); ++i) {
    const ImageSize size{images[i].size(1), images[i].size(2)};
    EXPECT_EQ(padded.sizes[i], size);
    const at::Tensor own = padded.pixels[static_cast<std::int64_t>(i)].slice(1, 0, size.height).slice(2, 0, size.width);
    EXPECT_TRUE(own.equal(images[i])) << i;
  }
  const std::vector<at::Tensor> alike = {images[0], images[1]};
  EXPECT_TRUE(bring_images(alike, at::kCPU).pixels.equal(at::stack(alike)));
}

}  // namespace
}  // namespace negatron::testing

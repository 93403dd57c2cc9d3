// Views of every kind on the stand-in device: what runs on grey images of one size leave out.

#include <gtest/gtest.h>

#include "runtime/data/device_views/unmade_views.h"
#include "runtime/data/views/view_recipe.h"
#include "tests/runtime/data/drawn_views.h"
#include "tests/support/stand_in_device.h"

namespace negatron::testing {
namespace {

constexpr std::int64_t kSamples = 12;
constexpr ImageSize kSize{16, 16};

/// Of unequal sizes, every fourth with more bytes than its two views.
DecodedImages images_of_channels(std::int64_t channels) {
  std::vector<at::Tensor> images;
  for (std::int64_t i = 0; i < kSamples; ++i) {
    images.push_back(random_images(1, channels, {i % 4 == 3 ? 80 : 18 + i, 30 - i})[0]);
  }
  return DecodedImages(images);
}

AugmentationOptions every_effect() {
  AugmentationOptions options = view_recipe("simclr");
  options.solarise_probability = 0.3;
  options.erase_probability = 0.5;
  return options;
}

TEST(ViewsThere, AreThoseOfTheHostsOperatorsAndNobodyWaits) {
  const AugmentationOptions options = every_effect();
  for (const std::int64_t channels : {1, 3}) {
    const DecodedImages images = images_of_channels(channels);
    const std::vector<double> means(static_cast<std::size_t>(channels), 0.4), deviations(means.size(), 0.3);
    UnmadeViews unmade(options, {kSize, {means, deviations}}, {2, kSamples, channels});
    std::vector<DrawnViews> views{{0, {}}, {1, {}}};
    for (std::int64_t i = 0; i < kSamples; ++i) {
      for (int view = 0; view < 2; ++view) {
        views[static_cast<std::size_t>(view)].drawn.push_back(
            draw_view_parameters(i, {3, 0, view}, options, images.size_of(i)));
      }
    }
    unmade.add(0, images, views);
    const auto before = stand_in_waits();
    const std::vector<at::Tensor> there = unmade.make(stand_in_device());
    EXPECT_EQ(stand_in_waits(), before) << channels << " channels";
    const std::vector<at::Tensor> host = unmade.make(at::kCPU);
    for (std::size_t set = 0; set < 2; ++set) {
      EXPECT_EQ(there[set].device(), stand_in_device());
      EXPECT_TRUE(there[set].cpu().equal(host[set])) << channels << " channels, set " << set;
    }
  }
}

}  // namespace
}  // namespace negatron::testing

// Views of fixed seeds, to the last bit. Colour views are made by this program's own loops, which round alike on every
// processor.

#include <functional>

#include <gtest/gtest.h>

#include "runtime/data/views/view_recipe.h"
#include "tests/runtime/data/drawn_views.h"

namespace negatron::testing {
namespace {

/// FNV-1a of all bytes.
std::uint64_t digest_of(const at::Tensor& views) {
  std::uint64_t digest = 0xcbf29ce484222325U;
  const auto* bytes = static_cast<const std::uint8_t*>(views.const_data_ptr());
  for (std::size_t i = 0; i < views.nbytes(); ++i) digest = (digest ^ bytes[i]) * 0x100000001b3U;
  return digest;
}

struct Golden {
  const char* name;
  std::function<void(AugmentationOptions&)> change;
  std::uint64_t first, second;
};

const std::vector<Golden>& golden_views() {
  static const std::vector<Golden> all = {
      {"whole", [](auto&) {}, 0x80c9cb88df099a9eU, 0x80c9cb88df099a9eU},
      {"crop", [](auto& o) { o.crop_area_min = 0.1, o.crop_aspect_min = 0.75, o.crop_aspect_max = 1.33; },
       0x5bb276df105bfc87U, 0x14db3f35c2553214U},
      {"brightness", [](auto& o) { o.jitter_probability = 1, o.contrast = 0; }, 0x800d279744a9fdb0U,
       0x14ec0ce642794ca6U},
      {"contrast", [](auto& o) { o.jitter_probability = 1, o.brightness = 0; }, 0x55c0756aa810ae61U,
       0x0b392796f04bd147U},
      {"saturation", [](auto& o) { o.jitter_probability = 1, o.brightness = o.contrast = 0, o.saturation = 0.8; },
       0xee6d9ff992bff21cU, 0xe64aa70a2aa65fc1U},
      {"hue", [](auto& o) { o.jitter_probability = 1, o.brightness = o.contrast = 0, o.hue = 0.5; },
       0x5db8f10008ca78c0U, 0xac581d3ad8be6540U},
      {"grey", [](auto& o) { o.grey_probability = 1; }, 0x10bffb3186bf9d38U, 0x10bffb3186bf9d38U},
      {"solarise", [](auto& o) { o.solarise_probability = 1; }, 0xdced9cf8310788d5U, 0xdced9cf8310788d5U},
      {"blur", [](auto& o) { o.blur_probability = 1, o.blur_sigma_max = 2; }, 0x1bbaf773ed1d7e0bU, 0x3ad79f4746e0602fU},
      {"erase", [](auto& o) { o.erase_probability = 1; }, 0xa2f16d3297b08a76U, 0xcbbe1a5f7a8dd570U},
      {"moco-v2", [](auto& o) { o = view_recipe("moco-v2"); }, 0x2a2127c2e732c66fU, 0x0a1dc06f50981bbaU},
      {"simclr", [](auto& o) { o = view_recipe("simclr"); }, 0xc2d1df326787805cU, 0xd9b5bf4d140e1135U},
      {"byol", [](auto& o) { o = view_recipe("byol"); }, 0x90f8004f9a5e237cU, 0xc997732575d0ca63U},
  };
  return all;
}

TEST(GoldenViews, AreTheSameBits) {
  const at::Tensor images = random_images(6, 3, {45, 60});
  const at::Tensor ids = at::arange(20, 26, at::kLong);
  const ViewFormat format{{32, 30}, {{0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}}};
  for (const Golden& golden : golden_views()) {
    AugmentationOptions options = view_recipe("none");
    golden.change(options);
    EXPECT_EQ(digest_of(augment(images, ids, {6, 2, 0}, options, format)), golden.first) << golden.name;
    EXPECT_EQ(digest_of(augment(images, ids, {6, 2, 1}, options, format)), golden.second) << golden.name;
  }
}

}  // namespace
}  // namespace negatron::testing

#include "runtime/data/views/view_recipe.h"

#include <gtest/gtest.h>

namespace negatron::testing {
namespace {

TEST(ViewRecipe, MocoV2IsThatOfItsProgram) {
  const AugmentationOptions o = view_recipe("moco-v2");
  EXPECT_EQ(o.crop_area_min, 0.2);
  EXPECT_EQ(o.crop_area_max, 1.0);
  EXPECT_EQ(o.jitter_probability, 0.8);
  EXPECT_EQ(o.brightness, 0.4);
  EXPECT_EQ(o.contrast, 0.4);
  EXPECT_EQ(o.saturation, 0.4);
  EXPECT_EQ(o.hue, 0.1);
  EXPECT_EQ(o.grey_probability, 0.2);
  EXPECT_EQ(o.blur_probability, 0.5);
  EXPECT_EQ(o.blur_sigma_min, 0.1);
  EXPECT_EQ(o.blur_sigma_max, 2.0);
  EXPECT_EQ(o.flip_probability, 0.5);
  EXPECT_EQ(o.solarise_probability, 0.0);
  EXPECT_FALSE(o.second_blur_probability.has_value());
}

TEST(ViewRecipe, SimclrHasColoursOfStrengthOne) {
  const AugmentationOptions o = view_recipe("simclr");
  EXPECT_EQ(o.crop_area_min, 0.08);
  EXPECT_EQ(o.jitter_probability, 0.8);
  EXPECT_EQ(o.brightness, 0.8);
  EXPECT_EQ(o.contrast, 0.8);
  EXPECT_EQ(o.saturation, 0.8);
  EXPECT_EQ(o.hue, 0.2);
  EXPECT_EQ(o.grey_probability, 0.2);
  EXPECT_EQ(o.blur_probability, 0.5);
}

TEST(ViewRecipe, ByolHasTwoDifferentViews) {
  const AugmentationOptions o = view_recipe("byol");
  EXPECT_EQ(o.crop_area_min, 0.08);
  EXPECT_EQ(o.brightness, 0.4);
  EXPECT_EQ(o.contrast, 0.4);
  EXPECT_EQ(o.saturation, 0.2);
  EXPECT_EQ(o.hue, 0.1);
  EXPECT_EQ(o.effects_of(0).blur_probability, 1.0);
  EXPECT_EQ(o.effects_of(1).blur_probability, 0.1);
  EXPECT_EQ(o.effects_of(0).solarise_probability, 0.0);
  EXPECT_EQ(o.effects_of(1).solarise_probability, 0.2);
}

TEST(ViewRecipe, AllAreValidAndOthersUnknown) {
  for (const std::string& name : view_recipe_names()) EXPECT_NO_THROW(view_recipe(name).validate()) << name;
  EXPECT_EQ(view_recipe("grey").crop_area_min, AugmentationOptions{}.crop_area_min);
  EXPECT_THROW(view_recipe("moco-v3"), std::invalid_argument);
}

}  // namespace
}  // namespace negatron::testing

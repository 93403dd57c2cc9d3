#include "runtime/data/views/view_recipe.h"

#include <stdexcept>

namespace negatron {
namespace {

/// Of the three: effects of 224 x 224 photographs.
AugmentationOptions colour_recipe() {
  AugmentationOptions options;
  options.grey_probability = 0.2;
  options.blur_sigma_max = 2.0;
  return options;
}

/// Chen, Fan, Girshick and He, "Improved baselines with momentum contrastive learning", 2020; main_moco.py --aug-plus.
AugmentationOptions moco_v2() {
  AugmentationOptions options = colour_recipe();
  options.saturation = 0.4;
  options.hue = 0.1;
  options.blur_probability = 0.5;
  return options;
}

/// Chen, Kornblith, Norouzi and Hinton, "A simple framework for contrastive learning of visual representations", ICML
/// 2020, appendix A, with colours of strength 1.
AugmentationOptions simclr() {
  AugmentationOptions options = colour_recipe();
  options.crop_area_min = 0.08;
  options.brightness = options.contrast = options.saturation = 0.8;
  options.hue = 0.2;
  options.blur_probability = 0.5;
  return options;
}

/// Grill et al., "Bootstrap your own latent", NeurIPS 2020, appendix B, table 6: its views differ.
AugmentationOptions byol() {
  AugmentationOptions options = colour_recipe();
  options.crop_area_min = 0.08;
  options.saturation = 0.2;
  options.hue = 0.1;
  options.blur_probability = 1.0;
  options.solarise_probability = 0.0;
  options.second_blur_probability = 0.1;
  options.second_solarise_probability = 0.2;
  return options;
}

AugmentationOptions grey() {
  return {};
}

/// No aspect is refused, so that no image is cut.
AugmentationOptions none() {
  AugmentationOptions options;
  options.crop_area_min = options.crop_area_max = 1.0;
  options.crop_aspect_min = 0.01;
  options.crop_aspect_max = 100.0;
  options.flip_probability = options.jitter_probability = 0.0;
  options.feature_noise = options.feature_dropout = 0.0;
  return options;
}

struct Recipe {
  const char* name;
  AugmentationOptions (*make)();
};

constexpr Recipe kRecipes[] = {
    {"moco-v2", moco_v2}, {"simclr", simclr}, {"byol", byol}, {"grey", grey}, {"none", none},
};

}  // namespace

std::vector<std::string> view_recipe_names() {
  std::vector<std::string> names;
  for (const Recipe& recipe : kRecipes) names.emplace_back(recipe.name);
  return names;
}

AugmentationOptions view_recipe(std::string_view name) {
  for (const Recipe& recipe : kRecipes) {
    if (name == recipe.name) return recipe.make();
  }
  throw std::invalid_argument("No recipe for views is called '" + std::string(name) + "'.");
}

}  // namespace negatron

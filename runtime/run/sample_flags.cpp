#include "runtime/run/sample_flags.h"

#include <stdexcept>
#include <string>

#include "runtime/data/views/view_recipe.h"
#include "runtime/encoders/registry.h"

namespace negatron {
namespace {

/// Without --views.
constexpr const char* kDefaultViews = "grey";
constexpr const char* kViewsWithoutChanges = "none";

struct ViewFlag {
  const char* name;
  double AugmentationOptions::*value;
};

constexpr ViewFlag kImageViewFlags[] = {
    {"--crop-area-min", &AugmentationOptions::crop_area_min},
    {"--crop-area-max", &AugmentationOptions::crop_area_max},
    {"--crop-aspect-min", &AugmentationOptions::crop_aspect_min},
    {"--crop-aspect-max", &AugmentationOptions::crop_aspect_max},
    {"--flip", &AugmentationOptions::flip_probability},
    {"--jitter", &AugmentationOptions::jitter_probability},
    {"--brightness", &AugmentationOptions::brightness},
    {"--contrast", &AugmentationOptions::contrast},
    {"--saturation", &AugmentationOptions::saturation},
    {"--hue", &AugmentationOptions::hue},
    {"--grey", &AugmentationOptions::grey_probability},
    {"--blur", &AugmentationOptions::blur_probability},
    {"--blur-sigma-min", &AugmentationOptions::blur_sigma_min},
    {"--blur-sigma-max", &AugmentationOptions::blur_sigma_max},
    {"--solarise", &AugmentationOptions::solarise_probability},
    {"--erase", &AugmentationOptions::erase_probability},
    {"--erase-area-min", &AugmentationOptions::erase_area_min},
    {"--erase-area-max", &AugmentationOptions::erase_area_max},
};

constexpr ViewFlag kFeatureViewFlags[] = {
    {"--feature-noise", &AugmentationOptions::feature_noise},
    {"--feature-dropout", &AugmentationOptions::feature_dropout},
};

[[noreturn]] void refuse_for_features(const PretrainOptions& options, const std::string& flag) {
  throw std::invalid_argument(flag + " is for images, but --data '" + options.data.path +
                              "' holds features, whose views are made by --feature-noise and --feature-dropout.");
}

/// What the views would be with the recipe alone.
AugmentationOptions recipe_of(const PretrainOptions& options) {
  return view_recipe(options.views.empty() ? kDefaultViews : options.views);
}

/// Of an encoder with options only its name.
std::string encoder_name(const PretrainOptions& options) {
  return choose_backbone(options.encoder).entry->description.name;
}

}  // namespace

void check_sample_flags(const PretrainOptions& options, bool are_features) {
  const AugmentationOptions plain = recipe_of(options);
  const AugmentationOptions& asked = options.augmentation;
  if (!are_features) {
    for (const ViewFlag& flag : kFeatureViewFlags) {
      if (asked.*flag.value == plain.*flag.value) continue;
      throw std::invalid_argument(std::string(flag.name) + " is for features, but --data '" + options.data.path +
                                  "' holds images.");
    }
    return;
  }
  if (!options.views.empty() && options.views != kViewsWithoutChanges) {
    refuse_for_features(options, "--views " + options.views);
  }
  for (const ViewFlag& flag : kImageViewFlags) {
    if (asked.*flag.value != plain.*flag.value) refuse_for_features(options, flag.name);
  }
  if (options.views_on_device) refuse_for_features(options, "--views-on device");
  if (asked.second_blur_probability) refuse_for_features(options, "--second-blur");
  if (asked.second_solarise_probability) refuse_for_features(options, "--second-solarise");
  if (choose_backbone(options.encoder).entry->description.takes_features) return;
  throw std::invalid_argument("--encoder " + encoder_name(options) + " takes images, but --data '" + options.data.path +
                              "' holds features; --encoder mlp takes them.");
}

}  // namespace negatron

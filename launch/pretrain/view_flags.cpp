#include "launch/pretrain/view_flags.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "launch/exit_code.h"
#include "launch/flags/number_fields.h"
#include "runtime/data/normalization_text.h"
#include "runtime/data/views/view_recipe.h"

namespace negatron {
namespace {

/// The recipe's name is kept beside what it sets.
TypedField views_field(PretrainOptions* options) {
  return {[options] { return options->views; },
          [options](const std::string& flag, const std::string& name) {
            const std::vector<std::string> known = view_recipe_names();
            if (std::find(known.begin(), known.end(), name) == known.end()) {
              std::string list;
              for (const std::string& one : known) list += (list.empty() ? "" : ", ") + one;
              throw UsageError("--" + flag + " is '" + name + "', expected one of: " + list + ".");
            }
            options->augmentation = view_recipe(name);
            options->views = name;
          },
          view_recipe_names()};
}

/// As AugmentationOptions::validate() has them, which also compares two of them.
constexpr double kLeastShare = 1e-4;
constexpr double kMostAspect = 100.0;
constexpr double kLeastSigma = 1e-3;
constexpr double kMostSigma = 16.0;
constexpr double kMostNoise = 1e6;

constexpr const char* kSameView = "same";

/// Of the second view; "same" for the first one's.
TypedField second_view_field(std::optional<double>* field) {
  const auto text = [field] { return *field ? shortest_text(**field) : std::string(kSameView); };
  const auto read = [field](const std::string& flag, const std::string& asked) {
    if (asked == kSameView) {
      field->reset();
    } else {
      double value = 0.0;
      try {
        within(&value, 0.0, 1.0).read(flag, asked);
      } catch (const UsageError&) {
        throw UsageError("--" + flag + " takes a number from 0 to 1 or '" + kSameView + "', not '" + asked + "'.");
      }
      *field = value;
    }
  };
  return {text, read, {kSameView}};
}

}  // namespace

TypedField normalization_field(std::optional<Normalization>* field) {
  const auto text = [field] {
    if (!*field) return std::string("auto");
    return **field == imagenet_normalization() ? std::string("imagenet") : normalization_text(**field);
  };
  const auto read = [field](const std::string& flag, const std::string& asked) {
    if (asked == "auto") {
      field->reset();
    } else if (asked == "imagenet") {
      *field = imagenet_normalization();
    } else {
      try {
        *field = parse_normalization(asked);
      } catch (const std::invalid_argument& error) {
        throw UsageError("--" + flag + " takes auto, imagenet, or " + error.what());
      }
    }
  };
  return {text, read, {"auto", "imagenet"}};
}

void add_view_flags(FlagTable& table, PretrainOptions& options) {
  AugmentationOptions& a = options.augmentation;
  table.group("Views (random, two per sample; runtime/VIEWS.md has the formulas)");
  table.add_recipe(
      "views", views_field(&options),
      "recipe that sets all of these, before those given beside it: moco-v2, simclr, byol (colour images), "
      "grey, none (default: grey)",
      FlagRole::kThisStart);
  table.add("crop-area-min", within(&a.crop_area_min, kLeastShare, 1.0), "smallest crop, as a share of the image");
  table.add("crop-area-max", within(&a.crop_area_max, kLeastShare, 1.0), "largest crop, as a share of the image");
  table.add("crop-aspect-min", within(&a.crop_aspect_min, 1.0 / kMostAspect, kMostAspect),
            "narrowest crop, width / height");
  table.add("crop-aspect-max", within(&a.crop_aspect_max, 1.0 / kMostAspect, kMostAspect),
            "widest crop, width / height");
  table.add("flip", within(&a.flip_probability, 0.0, 1.0), "probability of mirroring left to right");
  table.add("jitter", within(&a.jitter_probability, 0.0, 1.0),
            "probability of changing brightness, contrast and, of colour images, saturation and hue");
  table.add("brightness", within(&a.brightness, 0.0, 1.0), "factor within 1 +- this");
  table.add("contrast", within(&a.contrast, 0.0, 1.0), "factor within 1 +- this");
  table.add("saturation", within(&a.saturation, 0.0, 1.0), "factor within 1 +- this");
  table.add("hue", within(&a.hue, 0.0, 0.5), "turns within +- this, at most 0.5");
  table.add("grey", within(&a.grey_probability, 0.0, 1.0), "probability of turning colours to grey");
  table.add("blur", within(&a.blur_probability, 0.0, 1.0), "probability of Gaussian blur");
  table.add("blur-sigma-min", within(&a.blur_sigma_min, kLeastSigma, kMostSigma), "least blur, pixels");
  table.add("blur-sigma-max", within(&a.blur_sigma_max, kLeastSigma, kMostSigma), "most blur, pixels");
  table.add("solarise", within(&a.solarise_probability, 0.0, 1.0),
            "probability of inverting what is brighter than 128 of 255");
  table.add("second-blur", second_view_field(&a.second_blur_probability), "--blur of the second view, or same");
  table.add("second-solarise", second_view_field(&a.second_solarise_probability),
            "--solarise of the second view, or same");
  table.add("erase", within(&a.erase_probability, 0.0, 1.0), "probability of a black rectangle");
  table.add("erase-area-min", within(&a.erase_area_min, kLeastShare, 1.0),
            "smallest rectangle, as a share of the view");
  table.add("erase-area-max", within(&a.erase_area_max, kLeastShare, 1.0), "largest rectangle, as a share of the view");
  table.add("feature-noise", within(&a.feature_noise, 0.0, kMostNoise),
            "of features: normal noise, in deviations of each");
  table.add("feature-dropout", within(&a.feature_dropout, 0.0, 1.0),
            "of features: probability that one becomes 0, its mean");
  table.group("Normalisation");
  table.add(
      "normalize", normalization_field(&options.normalization),
      "auto (mean and deviation of each channel, measured when the run begins and kept by its snapshots), imagenet, "
      "or MEANS;DEVIATIONS of pixels in 0 to 1, such as 0.5,0.4,0.3;0.2,0.2,0.2 (of features as they are; 0;1: no "
      "change)");
}

}  // namespace negatron

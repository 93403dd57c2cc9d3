#include "launch/pretrain/view_flags.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "launch/exit_code.h"
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

constexpr const char* kSameView = "same";

std::string probability_text(double value) {
  char text[32];
  // The shortest text that reads back to the same double.
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

double read_probability(const std::string& flag, const std::string& text) {
  double value = 0.0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec == std::errc() && result.ptr == text.data() + text.size() && std::isfinite(value)) return value;
  throw UsageError("--" + flag + " takes a number or '" + kSameView + "', not '" + text + "'.");
}

/// Of the second view; "same" for the first one's.
TypedField second_view_field(std::optional<double>* field) {
  const auto text = [field] { return *field ? probability_text(**field) : std::string(kSameView); };
  const auto read = [field](const std::string& flag, const std::string& asked) {
    if (asked == kSameView) {
      field->reset();
    } else {
      *field = read_probability(flag, asked);
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
  table.add("crop-area-min", &a.crop_area_min, "smallest crop, as a share of the image");
  table.add("crop-area-max", &a.crop_area_max, "largest crop, as a share of the image");
  table.add("crop-aspect-min", &a.crop_aspect_min, "narrowest crop, width / height");
  table.add("crop-aspect-max", &a.crop_aspect_max, "widest crop, width / height");
  table.add("flip", &a.flip_probability, "probability of mirroring left to right");
  table.add("jitter", &a.jitter_probability,
            "probability of changing brightness, contrast and, of colour images, saturation and hue");
  table.add("brightness", &a.brightness, "factor within 1 +- this");
  table.add("contrast", &a.contrast, "factor within 1 +- this");
  table.add("saturation", &a.saturation, "factor within 1 +- this");
  table.add("hue", &a.hue, "turns within +- this, at most 0.5");
  table.add("grey", &a.grey_probability, "probability of turning colours to grey");
  table.add("blur", &a.blur_probability, "probability of Gaussian blur");
  table.add("blur-sigma-min", &a.blur_sigma_min, "least blur, pixels");
  table.add("blur-sigma-max", &a.blur_sigma_max, "most blur, pixels");
  table.add("solarise", &a.solarise_probability, "probability of inverting what is brighter than 128 of 255");
  table.add("second-blur", second_view_field(&a.second_blur_probability), "--blur of the second view, or same");
  table.add("second-solarise", second_view_field(&a.second_solarise_probability),
            "--solarise of the second view, or same");
  table.add("erase", &a.erase_probability, "probability of a black rectangle");
  table.add("erase-area-min", &a.erase_area_min, "smallest rectangle, as a share of the view");
  table.add("erase-area-max", &a.erase_area_max, "largest rectangle, as a share of the view");
  table.add("feature-noise", &a.feature_noise, "of features: normal noise, in deviations of each");
  table.add("feature-dropout", &a.feature_dropout, "of features: probability that one becomes 0, its mean");
  table.group("Normalisation");
  table.add(
      "normalize", normalization_field(&options.normalization),
      "auto (mean and deviation of each channel, measured when the run begins and kept by its snapshots), imagenet, "
      "or MEANS;DEVIATIONS of pixels in 0 to 1, such as 0.5,0.4,0.3;0.2,0.2,0.2 (of features as they are; 0;1: no "
      "change)");
}

}  // namespace negatron

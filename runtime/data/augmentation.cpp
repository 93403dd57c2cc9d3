#include "runtime/data/augmentation.h"

#include <cmath>
#include <stdexcept>
#include <vector>

#include "comm/require.h"
#include "runtime/data/view_parameters.h"
#include "runtime/data/views/feature_views.h"
#include "runtime/data/views/make_views.h"

namespace negatron {

namespace {

bool is_range(double low, double high, double least, double most) {
  return std::isfinite(low) && std::isfinite(high) && low >= least && high <= most && low <= high;
}

bool is_probability(double value) {
  return value >= 0.0 && value <= 1.0;
}

void validate_crop(const AugmentationOptions& options) {
  constexpr double kMostAspect = 100.0;
  require(is_range(options.crop_area_min, options.crop_area_max, 1e-4, 1.0),
          "The crop area needs 0.0001 <= minimum <= maximum <= 1 (shares of the image).");
  require(is_range(options.crop_aspect_min, options.crop_aspect_max, 1.0 / kMostAspect, kMostAspect),
          "The crop aspect needs 0.01 <= minimum <= maximum <= 100.");
  require(is_probability(options.flip_probability), "The flip probability must lie in 0 to 1.");
}

void validate_colours(const AugmentationOptions& options) {
  require(is_probability(options.jitter_probability), "The jitter probability must lie in 0 to 1.");
  require(is_probability(options.brightness), "The brightness change must lie in 0 to 1.");
  require(is_probability(options.contrast), "The contrast change must lie in 0 to 1.");
  require(is_probability(options.saturation), "The saturation change must lie in 0 to 1.");
  require(options.hue >= 0.0 && options.hue <= 0.5, "The hue change must lie in 0 to 0.5 turns.");
  require(is_probability(options.grey_probability), "The grey probability must lie in 0 to 1.");
}

}  // namespace

ViewEffects AugmentationOptions::effects_of(int view) const {
  if (view == 0) return {blur_probability, solarise_probability};
  return {second_blur_probability.value_or(blur_probability),
          second_solarise_probability.value_or(solarise_probability)};
}

void AugmentationOptions::validate() const {
  constexpr double kMostSigma = 16.0;
  validate_crop(*this);
  validate_colours(*this);
  require(is_probability(blur_probability), "The blur probability must lie in 0 to 1.");
  require(is_range(blur_sigma_min, blur_sigma_max, 1e-3, kMostSigma),
          "The blur sigma needs 0.001 <= minimum <= maximum <= 16 pixels.");
  require(is_probability(solarise_probability), "The solarise probability must lie in 0 to 1.");
  const ViewEffects second = effects_of(1);
  require(is_probability(second.blur_probability), "The blur probability of the second view must lie in 0 to 1.");
  require(is_probability(second.solarise_probability),
          "The solarise probability of the second view must lie in 0 to 1.");
  require(is_probability(erase_probability), "The erase probability must lie in 0 to 1.");
  require(is_range(erase_area_min, erase_area_max, 1e-4, 1.0),
          "The erased area needs 0.0001 <= minimum <= maximum <= 1 (shares of the image).");
  require(feature_noise >= 0.0 && std::isfinite(feature_noise),
          "The noise of features must be at least 0 (deviations).");
  require(is_probability(feature_dropout), "The probability that a feature is dropped must lie in 0 to 1.");
}

at::Tensor augment(const DecodedImages& images, const at::Tensor& ids, const ViewNumber& number,
                   const AugmentationOptions& options, const ViewFormat& format) {
  if (ids.dim() != 1 || ids.size(0) != images.size()) {
    throw std::invalid_argument("augment takes as many ids as images.");
  }
  if (images.are_features()) return feature_views(images, ids, number, options, format.normalization);
  const auto samples = ids.accessor<std::int64_t, 1>();
  std::vector<ViewParameters> parameters;
  for (std::int64_t i = 0; i < images.size(); ++i) {
    parameters.push_back(draw_view_parameters(samples[i], number, options, images.size_of(i)));
  }
  at::Tensor views = at::empty({images.size(), images.channels(), format.size.height, format.size.width}, at::kFloat);
  make_views(images, parameters, options, format.normalization, views);
  return views;
}

}  // namespace negatron

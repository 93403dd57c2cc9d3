#pragma once

#include <cstdint>
#include <optional>

#include <ATen/ATen.h>

#include "runtime/data/decoded_images.h"
#include "runtime/data/view_format.h"

namespace negatron {

/// How likely the effects are that the two views of a sample may have differently.
struct ViewEffects {
  double blur_probability = 0.0;
  double solarise_probability = 0.0;
};

/// What makes two views of one image differ. Defaults follow MoCo v2 where small grey images allow it. VIEWS.md has the
/// formulas, and recipes by name are in views/view_recipe.h.
struct AugmentationOptions {
  /// Area of the crop as a share of the image, drawn uniformly.
  double crop_area_min = 0.2;
  double crop_area_max = 1.0;
  /// Width / height of the crop in pixels, drawn log-uniformly.
  double crop_aspect_min = 3.0 / 4.0;
  double crop_aspect_max = 4.0 / 3.0;
  double flip_probability = 0.5;
  /// Brightness, contrast, saturation and hue change together with this probability: the first three by a factor in
  /// 1 +- their amount, the hue by -amount to amount turns. Of grey images, brightness and contrast do.
  double jitter_probability = 0.8;
  double brightness = 0.4;
  double contrast = 0.4;
  double saturation = 0.0;
  double hue = 0.0;
  /// A colour image becomes grey.
  double grey_probability = 0.0;
  /// Gaussian blur, sigma in pixels of the output, drawn uniformly.
  double blur_probability = 0.0;
  double blur_sigma_min = 0.1;
  double blur_sigma_max = 1.0;
  /// Values from 128/255 on are inverted.
  double solarise_probability = 0.0;
  /// Of the second view; nothing for the same as of the first.
  std::optional<double> second_blur_probability;
  std::optional<double> second_solarise_probability;
  /// A rectangle set to black, its area a share of the view, its aspect in [1/2, 2].
  double erase_probability = 0.0;
  double erase_area_min = 0.02;
  double erase_area_max = 0.2;

  /// Of samples that are features, and these alone: normal noise of this deviation is added to each, in deviations of
  /// the feature, and each becomes 0, its mean, with this probability.
  double feature_noise = 0.1;
  double feature_dropout = 0.2;

  /// Of view 0 or 1.
  ViewEffects effects_of(int view) const;
  /// Throws std::invalid_argument with one sentence that names the option.
  void validate() const;
};

/// Which of the random views of a sample: what is drawn for it depends on this and on the sample's id alone.
struct ViewNumber {
  std::uint64_t seed = 0;
  std::int64_t epoch = 0;
  /// 0 or 1.
  int view = 0;
};

/// One random view of each image: resized crop and flip, changes of colour, greying, blur, solarising, erasing,
/// normalisation. Of samples that are features: normalisation, noise, dropout.
///
/// images: b of C channels, of any sizes, on the host; ids: [b] int64 on the host, sample numbers in the data set.
/// Returns [b, C, H, W] float on the host, with H and W of `format`. Crops are averaged where they shrink and sampled
/// bilinearly where they do not. Local. Throws std::invalid_argument when there is not one id for each image.
///
/// What is drawn for a sample depends on (seed, epoch, sample, view) alone and every value is computed per image, so a
/// sample's view is the same to the last bit in any batch and on any number of ranks, whatever trains on it.
at::Tensor augment(const DecodedImages& images, const at::Tensor& ids, const ViewNumber& number,
                   const AugmentationOptions& options, const ViewFormat& format);

}  // namespace negatron

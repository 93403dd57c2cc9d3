#pragma once

#include <array>
#include <cstdint>

#include "runtime/data/augmentation.h"
#include "runtime/data/decoded_images.h"
#include "runtime/data/image_part.h"

namespace negatron {

/// A part of an image, in shares of its width and height. A mirrored crop starts at its right edge and has a negative
/// width.
struct CropBox {
  float left = 0.0F;
  float top = 0.0F;
  float width = 1.0F;
  float height = 1.0F;
};

/// The part of the image that a crop is. Local.
ImagePart part_of(const CropBox& crop);
/// The same crop in shares of `part` of the image. Of the whole image it is the crop itself, to the last bit. Local.
CropBox within(const CropBox& crop, const ImagePart& part);

/// A part of a view, in shares of its width and height; empty where right equals left.
struct ErasedBox {
  float left = 0.0F;
  float top = 0.0F;
  float right = 0.0F;
  float bottom = 0.0F;
};

enum class ColourChange { kBrightness, kContrast, kSaturation, kHue };

/// What was drawn for one view of one image.
struct ViewParameters {
  CropBox crop;
  /// Whether colours are changed at all; without it the factors are 1 and the hue is 0.
  bool jittered = false;
  float brightness = 1.0F;
  float contrast = 1.0F;
  float saturation = 1.0F;
  /// Turns, in -1/2..1/2.
  float hue = 0.0F;
  /// In which order colour images are changed.
  std::array<ColourChange, 4> order = {ColourChange::kBrightness, ColourChange::kContrast, ColourChange::kSaturation,
                                       ColourChange::kHue};
  /// Colours become grey.
  bool grey = false;
  /// In pixels of the view; 0 for no blur.
  double blur_sigma = 0.0;
  bool solarised = false;
  ErasedBox erased;
};

/// Draws them from (seed, epoch, sample, view) alone. `size` is the image's: an aspect is one of pixels, so that of
/// images of another shape other shares are cut out. Local. Throws std::invalid_argument for a view that is not 0 or 1.
ViewParameters draw_view_parameters(std::int64_t id, const ViewNumber& number, const AugmentationOptions& options,
                                    const ImageSize& size);

}  // namespace negatron

#pragma once

#include <optional>

#include <ATen/ATen.h>

#include "runtime/data/decoded_images.h"
#include "runtime/data/image_source.h"
#include "runtime/data/normalization.h"

namespace negatron {

/// What every view of a run looks like to the encoder, whatever the images that it is made of.
struct ViewFormat {
  ImageSize size;
  Normalization normalization;

  /// The size that the source asks for, with the measure of its pixels, or with a normalisation that is known. Local.
  static ViewFormat of(const ImageSource& source);
  static ViewFormat of(const ImageSource& source, const std::optional<Normalization>& known);
};

/// Whole images as views, for evaluation: nothing is drawn. Images of another size than the format's are stretched to
/// it, bilinearly and averaging where they shrink. Returns [n, C, H, W] float on the device of the images. Local.
at::Tensor whole_views(const DecodedImages& images, const ViewFormat& format);

}  // namespace negatron

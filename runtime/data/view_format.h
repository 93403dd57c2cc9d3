#pragma once

#include <optional>

#include <ATen/ATen.h>

#include "comm/communicator.h"
#include "runtime/data/decoded_images.h"
#include "runtime/data/image_source.h"
#include "runtime/data/normalization.h"

namespace negatron {

/// What every view of a run looks like to the encoder, whatever the images that it is made of.
struct ViewFormat {
  ImageSize size;
  Normalization normalization;

  /// The size that the source asks for, with the measure of its pixels. Local.
  static ViewFormat of(const ImageSource& source);
  /// The same with a normalisation that is known, on all ranks or none; else it is measured together. Collective as
  /// measured_normalization().
  static ViewFormat of(const ImageSource& source, const std::optional<Normalization>& known, Communicator& comm);
};

/// Whole images as views, for evaluation: nothing is drawn. Images of another size than the format's are stretched to
/// it, bilinearly and averaging where they shrink; features are normalised. Returns [n, C, H, W] float on the device of
/// the images. Local.
at::Tensor whole_views(const DecodedImages& images, const ViewFormat& format);

}  // namespace negatron

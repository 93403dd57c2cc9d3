#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "runtime/data/decoded_images.h"

namespace negatron {

/// A rectangle of an image as it is to be seen, in shares of its width and height: the whole image is 0, 0, 1, 1.
struct ImagePart {
  double left = 0.0;
  double top = 0.0;
  double width = 1.0;
  double height = 1.0;

  bool operator==(const ImagePart&) const = default;
};

/// A crop, and the size to which it will be sampled.
struct CropWanted {
  /// Within the image and not empty.
  ImagePart part;
  ImageSize output;
};

/// The crops that will be made of the i-th of some images, of which there is at least one; known once its size is.
using CropsOfImage = std::function<std::vector<CropWanted>(std::int64_t i, const ImageSize& size)>;

/// Images of which no more was decoded than somebody needs.
struct ImageParts {
  DecodedImages pixels;
  /// Where the pixels of each lie in its image; empty where all images are whole.
  std::vector<ImagePart> parts = {};
};

}  // namespace negatron

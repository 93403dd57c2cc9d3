#pragma once

#include <cstdint>
#include <string>

#include "runtime/data/decoded_images.h"
#include "runtime/data/decoding/exif_orientation.h"

namespace negatron {

/// What the head of an image file says of the pixels as they are stored, before they are turned.
struct StoredHead {
  ImageSize size;
  /// 1 or 3, as in ImageHead.
  std::int64_t channels = 3;
  Orientation orientation;
};

/// "Image 'NAME' REASON.", thrown as a DataError.
[[noreturn]] void refuse_image(const std::string& name, const std::string& reason);

/// The same for a file that ends before its image does.
[[noreturn]] void refuse_truncated_image(const std::string& name);

/// Throws DataError where the image has more pixels than `most`.
void check_pixel_count(const ImageSize& size, std::int64_t most, const std::string& name);

}  // namespace negatron

#pragma once

#include <cstdint>
#include <span>
#include <string>

#include <ATen/ATen.h>

#include "runtime/data/decoded_images.h"

namespace negatron {

/// The bytes of an image file. Not owned.
using FileBytes = std::span<const std::uint8_t>;

/// What the first bytes of an image file say.
struct ImageHead {
  /// As the image is to be seen: a photograph that its EXIF orientation turns by 90 degrees has its sides exchanged.
  ImageSize size;
  /// 1 for grey images, 3 for colour, palettes and CMYK. Transparency does not count.
  std::int64_t channels = 3;
};

struct DecodeOptions {
  /// 1 or 3: what comes out, whatever is in the file.
  std::int64_t channels = 3;
  /// An image of more is refused before memory is taken for it.
  std::int64_t most_pixels = 100'000'000;
};

/// The formats are told by their first bytes and never by the name of the file: JPEG, PNG and WebP. `name` is what
/// messages call the file. Reads no pixel. Local. Throws DataError naming the file.
ImageHead read_image_head(FileBytes bytes, const std::string& name);

/// [C, H, W] uint8, turned as the EXIF orientation says. Grey in 3 channels is three times the same; colour in 1
/// channel is 0.299 R + 0.587 G + 0.114 B, as PIL has it. Transparent pixels lie over white, 16 bits keep their upper
/// 8, CMYK is converted without a profile. Local. Throws DataError naming the file where it is damaged, cut short or
/// too large.
at::Tensor decode_image(FileBytes bytes, const DecodeOptions& options, const std::string& name);

}  // namespace negatron

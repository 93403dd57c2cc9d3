#pragma once

#include <functional>
#include <string>
#include <vector>

#include <ATen/ATen.h>

#include "runtime/data/decoding/decode_image.h"
#include "runtime/data/image_part.h"

namespace negatron {

/// What was decoded for crops: the smallest rectangle that holds them and what their filter looks at beside it.
struct DecodedCrop {
  /// [C, h, w] uint8, as decode_image gives it.
  at::Tensor pixels;
  /// Where the pixels lie: the middle of pixel (y, x) is at left + (x + 0.5) / w * width, top + (y + 0.5) / h * height.
  /// So a share s of the whole width is the share (s - left) / width of these pixels, for any sampler that takes
  /// shares. A shrunk image may reach beyond the image, by less than one of its pixels.
  ImagePart part;
};

/// The crops that will be made of an image of that size, as it is to be seen; at least one.
using CropsOfSize = std::function<std::vector<CropWanted>(const ImageSize& size)>;

/// Decodes no more of a JPEG than the crops of its views need: only the rows and blocks of the rectangle that holds all
/// of them, and where both sides of every crop shrink by at least 2, 4 or 8 an image of a half, a quarter or an eighth
/// of the size, straight from the lowest coefficients. Once for two views is faster than once for each: all that comes
/// before a crop has to be read. What comes behind is read as well, though not made into pixels, so that an image is
/// refused for damage wherever it is, whatever its crops. Of PNG and WebP the whole image is decoded.
/// Local. Throws DataError as decode_image does.
///
/// Without shrinking the pixels are those of decode_image. A shrunk pixel is about the mean of the pixels that it
/// stands for, and the triangle under which a view averages it (views/crop.h) comes on top: such a crop is a little
/// smoother than the exact one. How far the two are apart, tests/runtime/data/decoding/decode_crop_test.cpp says.
DecodedCrop decode_crops(FileBytes bytes, const CropsOfSize& crops, const DecodeOptions& options,
                         const std::string& name);

/// The same for one crop.
DecodedCrop decode_crop(FileBytes bytes, const CropWanted& crop, const DecodeOptions& options, const std::string& name);

}  // namespace negatron

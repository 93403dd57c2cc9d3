#pragma once

#include <span>
#include <string>

#include <ATen/ATen.h>

#include "runtime/data/decoded_images.h"
#include "runtime/data/decoding/decode_image.h"

namespace negatron {

/// A rectangle of an image as it is to be seen, in shares of its width and height: the whole image is 0, 0, 1, 1.
struct ImagePart {
  double left = 0.0;
  double top = 0.0;
  double width = 1.0;
  double height = 1.0;
};

/// A crop, and the size to which it will be sampled.
struct CropWanted {
  /// Within the image and not empty.
  ImagePart part;
  ImageSize output;
};

/// What was decoded for crops: the smallest rectangle that holds them and what bilinear sampling looks at beside it.
struct DecodedCrop {
  /// [C, h, w] uint8, as decode_image gives it.
  at::Tensor pixels;
  /// Where the pixels lie: the middle of pixel (y, x) is at left + (x + 0.5) / w * width, top + (y + 0.5) / h * height.
  /// So a share s of the whole width is the share (s - left) / width of these pixels, for any sampler that takes
  /// shares. A shrunk image may reach beyond the image, by less than one of its pixels.
  ImagePart part;
};

/// Decodes no more of a JPEG than the crops of its views need: only the rows and blocks of the rectangle that holds all
/// of them, and where both sides of every crop shrink by at least 2, 4 or 8 an image of a half, a quarter or an eighth
/// of the size, straight from the lowest coefficients. Once for two views is faster than once for each: all that comes
/// before a crop has to be read. Of PNG and WebP the whole image is decoded. At least one crop. Local. Throws DataError
/// as decode_image does, but damage behind the last row of the crops is not found.
///
/// Without shrinking the pixels are those of decode_image. A shrunk pixel is about the mean of the pixels that it
/// stands for, so that a crop sampled from it is smoother than one sampled from the whole image, which takes single
/// pixels. Where an image changes by at most 3 levels of 255 from one pixel to the next, the two are within 4, 5 and 7
/// levels when it is shrunk by 2, 4 and 8, and about 1 on average (tests/runtime/data/decoding/decode_crop_test.cpp);
/// where pixels have nothing to do with each other, they differ by as much as a pixel differs from the mean of its
/// neighbours.
DecodedCrop decode_crops(FileBytes bytes, std::span<const CropWanted> crops, const DecodeOptions& options,
                         const std::string& name);

/// The same for one crop.
DecodedCrop decode_crop(FileBytes bytes, const CropWanted& crop, const DecodeOptions& options, const std::string& name);

}  // namespace negatron

#pragma once

#include <cstdint>
#include <span>

#include <ATen/ATen.h>

#include "runtime/data/decoded_images.h"

namespace negatron {

/// How stored pixels are turned for viewing: rows become columns first, then rows are put in reverse order and what is
/// in a row. The eight values of the EXIF tag Orientation are the eight choices.
struct Orientation {
  bool exchange_sides = false;
  bool reverse_rows = false;
  bool reverse_columns = false;

  bool operator==(const Orientation&) const = default;

  /// The size of what is seen. Its own inverse.
  ImageSize turned(const ImageSize& size) const;
  /// [C, h, w] as stored -> [C, H, W] as seen; contiguous.
  at::Tensor turned(const at::Tensor& pixels) const;
};

/// The orientation that EXIF data asks for. `tiff` is the TIFF block, without the "Exif\0\0" that may come before it.
/// No turn where the tag is missing or the block makes no sense: viewers show such images as they are stored.
/// Source: EXIF 2.32, 4.5.2 and 4.6.4. Local.
Orientation exif_orientation(std::span<const std::uint8_t> tiff);

/// The same for a block that may start with "Exif\0\0".
Orientation exif_orientation_behind_name(std::span<const std::uint8_t> exif);

/// True where the block starts with "Exif\0\0".
bool starts_with_exif_name(std::span<const std::uint8_t> exif);

}  // namespace negatron

#pragma once

#include <cstdint>

#include <ATen/ATen.h>

#include "runtime/data/decoded_images.h"

namespace negatron {

/// What the bytes of a decoder's pixels are.
enum class PixelLayout {
  kGrey,
  kGreyAlpha,
  kRgb,
  kRgba,
  /// 255 minus each ink, as all CMYK files that are about have it.
  kInvertedCmyk,
};

/// Takes the rows that a decoder gives, converted to grey or RGB in planes: [C, H, W] uint8. Local.
class PixelPlanes {
 public:
  /// channels: 1 or 3.
  PixelPlanes(std::int64_t channels, const ImageSize& size);

  /// Row y; `row` holds one pixel after the other. Throws nothing.
  void put_row(std::int64_t y, const std::uint8_t* row, PixelLayout layout) noexcept;

  const at::Tensor& tensor() const { return planes_; }

 private:
  at::Tensor planes_;
  std::uint8_t* data_;
  std::int64_t channels_;
  ImageSize size_;
};

/// Bytes of one pixel.
std::int64_t pixel_bytes(PixelLayout layout);

}  // namespace negatron

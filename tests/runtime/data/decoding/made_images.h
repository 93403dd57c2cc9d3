#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <ATen/ATen.h>

namespace negatron::testing {

using MadeFile = std::vector<std::uint8_t>;

/// [C, H, W] uint8 that changes slowly, so that lossy formats keep it to a few levels.
at::Tensor smooth_pixels(std::int64_t channels, std::int64_t height, std::int64_t width);

/// [C, H, W] uint8 with nothing to predict from one pixel to the next. The same each time.
at::Tensor random_pixels(std::int64_t channels, std::int64_t height, std::int64_t width);

/// A TIFF block with the tag Orientation behind another one.
MadeFile exif_tiff(int orientation, bool big_endian);

struct JpegTraits {
  int quality = 100;
  bool progressive = false;
  /// Of the colours in both directions.
  bool half_resolution = false;
  /// YCCK and not CMYK, for four channels.
  bool ycck = false;
  /// Pixels between restart markers, in blocks; 0 for none.
  unsigned restart_interval = 0;
  /// 0 for a file without EXIF.
  int orientation = 0;
};

/// pixels: [C, H, W] uint8 of 1, 3 or 4 channels; four are CMYK as they stand in the file, inverted.
MadeFile make_jpeg(const at::Tensor& pixels, const JpegTraits& traits = {});

struct PngTraits {
  int bits = 8;
  int colour_type = 2;
  bool interlaced = false;
  /// [n, 3], and the alpha of its first entries.
  at::Tensor palette;
  std::vector<std::uint8_t> palette_alpha;
  /// The sample that is transparent, for grey.
  std::optional<std::uint16_t> transparent_grey;
  int orientation = 0;
};

/// samples: [H, W, S] int64 of `bits` bits each.
MadeFile make_png(const at::Tensor& samples, const PngTraits& traits);

/// [C, H, W] uint8 -> an 8 bit PNG of grey, grey with alpha, RGB or RGBA.
MadeFile make_plain_png(const at::Tensor& pixels);

struct WebpTraits {
  bool lossless = true;
  int orientation = 0;
};

/// pixels: [3 or 4, H, W] uint8.
MadeFile make_webp(const at::Tensor& pixels, const WebpTraits& traits = {});

/// The head of an animation without frames.
MadeFile make_webp_animation();

}  // namespace negatron::testing

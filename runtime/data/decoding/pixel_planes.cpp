#include "runtime/data/decoding/pixel_planes.h"

#include <algorithm>

#include "runtime/data/decoding/split_rgb.h"

namespace negatron {

namespace {

struct Colour {
  unsigned red, green, blue;
};

/// 0.299 R + 0.587 G + 0.114 B in 16 bits behind the point, which sum to 1: a grey pixel stays what it is. PIL's
/// numbers.
std::uint8_t luma(const Colour& colour) {
  constexpr unsigned kHalf = 1U << 15;
  return static_cast<std::uint8_t>((colour.red * 19595 + colour.green * 38470 + colour.blue * 7471 + kHalf) >> 16);
}

unsigned over_white(unsigned value, unsigned alpha) {
  return (value * alpha + 255 * (255 - alpha) + 127) / 255;
}

/// Light that passes an ink and black: the rounded product of the two, taken as PIL takes it.
unsigned through_inks(unsigned light, unsigned black_light) {
  const unsigned product = (255 - light) * black_light + 128;
  return black_light - (((product >> 8) + product) >> 8);
}

Colour rgb(const std::uint8_t* p) {
  return {p[0], p[1], p[2]};
}

Colour grey_alpha(const std::uint8_t* p) {
  const unsigned grey = over_white(p[0], p[1]);
  return {grey, grey, grey};
}

Colour rgba(const std::uint8_t* p) {
  return {over_white(p[0], p[3]), over_white(p[1], p[3]), over_white(p[2], p[3])};
}

Colour inverted_cmyk(const std::uint8_t* p) {
  return {through_inks(p[0], p[3]), through_inks(p[1], p[3]), through_inks(p[2], p[3])};
}

/// A row of each plane.
struct PlaneRows {
  std::uint8_t* first;
  std::int64_t apart;
  std::int64_t channels;
  std::int64_t width;
};

template <Colour (*colour_of)(const std::uint8_t*), int bytes>
void put_colours(const PlaneRows& to, const std::uint8_t* row) {
  if (to.channels == 1) {
    for (std::int64_t x = 0; x < to.width; ++x) to.first[x] = luma(colour_of(row + x * bytes));
    return;
  }
  std::uint8_t* __restrict red = to.first;
  std::uint8_t* __restrict green = red + to.apart;
  std::uint8_t* __restrict blue = green + to.apart;
  for (std::int64_t x = 0; x < to.width; ++x) {
    const Colour colour = colour_of(row + x * bytes);
    red[x] = static_cast<std::uint8_t>(colour.red);
    green[x] = static_cast<std::uint8_t>(colour.green);
    blue[x] = static_cast<std::uint8_t>(colour.blue);
  }
}

}  // namespace

PixelPlanes::PixelPlanes(std::int64_t channels, const ImageSize& size)
    : planes_(at::empty({channels, size.height, size.width}, at::kByte)),
      data_(planes_.data_ptr<std::uint8_t>()),
      channels_(channels),
      size_(size) {}

void PixelPlanes::put_row(std::int64_t y, const std::uint8_t* row, PixelLayout layout) noexcept {
  const PlaneRows to{data_ + y * size_.width, size_.height * size_.width, channels_, size_.width};
  switch (layout) {
    case PixelLayout::kGrey:
      for (std::int64_t c = 0; c < channels_; ++c) std::copy_n(row, to.width, to.first + c * to.apart);
      return;
    case PixelLayout::kGreyAlpha:
      return put_colours<grey_alpha, 2>(to, row);
    case PixelLayout::kRgb:
      if (channels_ == 3) return split_rgb(row, to.width, {to.first, to.first + to.apart, to.first + 2 * to.apart});
      return put_colours<rgb, 3>(to, row);
    case PixelLayout::kRgba:
      return put_colours<rgba, 4>(to, row);
    case PixelLayout::kInvertedCmyk:
      return put_colours<inverted_cmyk, 4>(to, row);
  }
}

std::int64_t pixel_bytes(PixelLayout layout) {
  switch (layout) {
    case PixelLayout::kGrey:
      return 1;
    case PixelLayout::kGreyAlpha:
      return 2;
    case PixelLayout::kRgb:
      return 3;
    default:
      return 4;
  }
}

}  // namespace negatron

#include "runtime/data/decoding/split_rgb.h"

#include "samplers/cpu/vector_code.h"

namespace negatron {

// Every third byte is a shuffle where there is one, and a seventh of the time: without it this loop takes an eighth of
// the decoding of a JPEG.
NEGATRON_COPIES_FOR("avx2") void split_rgb(const std::uint8_t* pixels, std::int64_t width, const RgbRow& to) noexcept {
  std::uint8_t* __restrict red = to.red;
  std::uint8_t* __restrict green = to.green;
  std::uint8_t* __restrict blue = to.blue;
  for (std::int64_t x = 0; x < width; ++x) {
    red[x] = pixels[3 * x];
    green[x] = pixels[3 * x + 1];
    blue[x] = pixels[3 * x + 2];
  }
}

}  // namespace negatron

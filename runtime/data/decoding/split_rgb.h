#pragma once

#include <cstdint>

namespace negatron {

/// Where the planes of a row go; all apart from each other.
struct RgbRow {
  std::uint8_t* red;
  std::uint8_t* green;
  std::uint8_t* blue;
};

/// `width` pixels R G B R G B ... -> R R ..., G G ..., B B ... Local.
void split_rgb(const std::uint8_t* pixels, std::int64_t width, const RgbRow& to) noexcept;

}  // namespace negatron

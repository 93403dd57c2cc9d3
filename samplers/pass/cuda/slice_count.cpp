#include "samplers/pass/cuda/slice_count.h"

#include <algorithm>

namespace negatron {
namespace {

/// What a thread block does before its first tile and after its last, in tiles.
constexpr std::int64_t kTilesToStart = 3;

std::int64_t ceil_divide(std::int64_t value, std::int64_t divisor) {
  return (value + divisor - 1) / divisor;
}

}  // namespace

std::int32_t slice_count(std::int64_t tiles, std::int64_t blocks, std::int64_t concurrent) {
  const auto time = [&](std::int64_t slices) {
    return ceil_divide(blocks * slices, concurrent) * (ceil_divide(tiles, slices) + kTilesToStart);
  };
  std::int64_t best = 1;
  for (std::int64_t slices = 2; slices <= std::min(tiles, concurrent); ++slices) {
    if (time(slices) < time(best)) best = slices;
  }
  // Without slices that the rounding left empty.
  return static_cast<std::int32_t>(ceil_divide(tiles, ceil_divide(tiles, best)));
}

}  // namespace negatron

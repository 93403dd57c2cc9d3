#pragma once

#include <cstdint>
#include <limits>

#include "samplers/pass/selection/host_device.h"

namespace negatron {

/// A selection key packs a row's place in an order into one int64 whose ascending order is best first: upper half the
/// order-preserving image of the score (or random number), lower half the slot. Slots are below 2^32.
/// This is the key before those of all rows.
inline constexpr std::int64_t kBeforeAllKeys = std::numeric_limits<std::int64_t>::min();
/// The key behind those of all rows, which also stands for "no row". No row has this key or kBeforeAllKeys.
inline constexpr std::int64_t kAfterAllKeys = std::numeric_limits<std::int64_t>::max();

/// The key of one row. The bits of a float ascend with its size, as those of an integer of sign and magnitude do.
NEGATRON_HOST_DEVICE std::int64_t packed_key(float score, std::int64_t slot) {
  constexpr std::int64_t kUpperHalf = std::int64_t{1} << 32;
  // Adding 0 turns -0 into +0: equal scores must tie.
  const float own = score + 0.0f;
  std::int32_t bits = 0;
  __builtin_memcpy(&bits, &own, sizeof(bits));
  const std::int32_t image = bits < 0 ? bits ^ static_cast<std::int32_t>(0x80000000u) : ~bits;
  return image * kUpperHalf + slot;
}

}  // namespace negatron

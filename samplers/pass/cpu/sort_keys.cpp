#include "samplers/pass/cpu/sort_keys.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

namespace negatron {
namespace {

constexpr int kHalfBits = 32;
constexpr int kByteBits = 8;
constexpr std::size_t kByteValues = 256;
/// What two sweeps sort by: few keys agree in so many bits of where their scores lie between the least and the largest.
constexpr int kSortedBits = 2 * kByteBits;

std::int32_t upper_half(std::int64_t key) {
  return static_cast<std::int32_t>(key >> kHalfBits);
}

/// Where the score of a key lies above `least`, in kSortedBits.
class Place {
 public:
  Place(const std::int64_t* keys, std::int64_t count) {
    std::int64_t largest = keys[0], least = keys[0];
    for (std::int64_t i = 1; i < count; ++i) {
      largest = std::max(largest, keys[i]);
      least = std::min(least, keys[i]);
    }
    // Differences of unsigned numbers are right also where least and largest lie on two sides of 0.
    least_ = static_cast<std::uint32_t>(upper_half(least));
    const std::uint32_t range = static_cast<std::uint32_t>(upper_half(largest)) - least_;
    shift_ = std::max(static_cast<int>(std::bit_width(range)) - kSortedBits, 0);
  }

  std::uint32_t of(std::int64_t key) const { return (static_cast<std::uint32_t>(upper_half(key)) - least_) >> shift_; }

 private:
  std::uint32_t least_;
  int shift_;
};

/// Sorts runs of keys with the same place, of keys that are sorted by it.
void sort_runs(std::int64_t* keys, std::int64_t count, const Place& place) {
  for (std::int64_t begin = 0, end = 0; begin < count; begin = end) {
    end = begin + 1;
    while (end < count && place.of(keys[end]) == place.of(keys[begin])) ++end;
    if (end > begin + 1) std::sort(keys + begin, keys + end);
  }
}

}  // namespace

void sort_keys(std::int64_t* keys, std::int64_t count, std::int64_t* spare) {
  if (count == 0) return;
  const Place place(keys, count);
  // A radix sort of two digits: by the lower byte of the place into `spare`, then, stably, by the upper byte back. Keys
  // of one place keep the order in which they came, which the comparison at the end puts right.
  std::array<std::int32_t, kByteValues> lower{}, upper{};
  for (std::int64_t i = 0; i < count; ++i) {
    const std::uint32_t of_key = place.of(keys[i]);
    ++lower[of_key % kByteValues];
    ++upper[of_key >> kByteBits];
  }
  // Counts become where each byte's keys begin: 3, 0, 2 become 0, 3, 3.
  std::int32_t lower_end = 0, upper_end = 0;
  for (std::size_t byte = 0; byte < kByteValues; ++byte) {
    lower_end += std::exchange(lower[byte], lower_end);
    upper_end += std::exchange(upper[byte], upper_end);
  }
  for (std::int64_t i = 0; i < count; ++i) spare[lower[place.of(keys[i]) % kByteValues]++] = keys[i];
  for (std::int64_t i = 0; i < count; ++i) keys[upper[place.of(spare[i]) >> kByteBits]++] = spare[i];
  sort_runs(keys, count, place);
}

}  // namespace negatron

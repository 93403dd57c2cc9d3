#include "samplers/pass/sort_keys.h"

#include <algorithm>
#include <array>
#include <utility>

namespace negatron {
namespace {

/// The upper half of a key, its score, decides nearly always.
constexpr int kFirstByte = 4;
constexpr int kBytes = 4;
constexpr int kByteBits = 8;
constexpr std::size_t kByteValues = 256;

/// In unsigned order.
std::size_t byte_of(std::int64_t key, int byte) {
  constexpr std::uint64_t kSign = std::uint64_t{1} << 63;
  return ((static_cast<std::uint64_t>(key) ^ kSign) >> ((kFirstByte + byte) * kByteBits)) % kByteValues;
}

/// Sorts runs of keys with the same upper half, of keys that are sorted by it.
void sort_ties(std::int64_t* keys, std::int64_t count) {
  constexpr int kHalfBits = kFirstByte * kByteBits;
  for (std::int64_t begin = 0, end = 0; begin < count; begin = end) {
    end = begin + 1;
    while (end < count && keys[end] >> kHalfBits == keys[begin] >> kHalfBits) ++end;
    if (end > begin + 1) std::sort(keys + begin, keys + end);
  }
}

}  // namespace

void sort_keys(std::int64_t* keys, std::int64_t count, std::int64_t* spare) {
  if (count == 0) return;
  std::array<std::array<std::int32_t, kByteValues>, kBytes> counts{};
  for (std::int64_t i = 0; i < count; ++i) {
    for (int byte = 0; byte < kBytes; ++byte) ++counts[byte][byte_of(keys[i], byte)];
  }
  std::int64_t* from = keys;
  std::int64_t* to = spare;
  for (int byte = 0; byte < kBytes; ++byte) {
    std::array<std::int32_t, kByteValues>& places = counts[byte];
    if (places[byte_of(from[0], byte)] == count) continue;
    std::int32_t place = 0;
    for (std::int32_t& number : places) place += std::exchange(number, place);
    for (std::int64_t i = 0; i < count; ++i) to[places[byte_of(from[i], byte)]++] = from[i];
    std::swap(from, to);
  }
  if (from != keys) std::copy_n(from, count, keys);
  sort_ties(keys, count);
}

}  // namespace negatron

#include "samplers/bank/equal_numbers.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace negatron {
namespace {

/// Numbers are sorted by digits of so many bits, the lowest first. The counts of one digit, 16 KiB, stay in a core's
/// first cache, and slots of banks of up to four million rows take two sweeps.
constexpr int kDigitBits = 11;
constexpr std::size_t kDigits = std::size_t{1} << kDigitBits;

struct Numbered {
  std::int64_t number;
  std::int64_t position;
};

std::size_t digit_of(std::int64_t number, int shift) {
  return static_cast<std::size_t>(number >> shift) % kDigits;
}

/// One sweep: what has the same digit stays in its order.
void sort_by_digit(const std::vector<Numbered>& from, std::vector<Numbered>& to, int shift) {
  std::array<std::int64_t, kDigits> next{};
  for (const Numbered& entry : from) ++next[digit_of(entry.number, shift)];
  std::int64_t begin = 0;
  for (std::int64_t& place : next) {
    const std::int64_t count = place;
    place = begin;
    begin += count;
  }
  for (const Numbered& entry : from) to[static_cast<std::size_t>(next[digit_of(entry.number, shift)]++)] = entry;
}

}  // namespace

EqualNumbers find_equal(const std::int64_t* numbers, std::int64_t count) {
  std::vector<Numbered> sorted;
  sorted.reserve(static_cast<std::size_t>(count));
  std::int64_t largest = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    if (numbers[i] < 0) continue;
    sorted.push_back({numbers[i], i});
    largest = std::max(largest, numbers[i]);
  }
  std::vector<Numbered> spare(sorted.size());
  constexpr int kBits = 63;
  for (int shift = 0; shift < kBits && largest >> shift > 0; shift += kDigitBits) {
    sort_by_digit(sorted, spare, shift);
    sorted.swap(spare);
  }

  EqualNumbers equal;
  equal.values.reserve(sorted.size());
  equal.begins.reserve(sorted.size() + 1);
  equal.positions.reserve(sorted.size());
  for (const Numbered& entry : sorted) {
    if (equal.values.empty() || equal.values.back() != entry.number) {
      equal.values.push_back(entry.number);
      equal.begins.push_back(static_cast<std::int64_t>(equal.positions.size()));
    }
    equal.positions.push_back(entry.position);
  }
  equal.begins.push_back(static_cast<std::int64_t>(equal.positions.size()));
  return equal;
}

}  // namespace negatron

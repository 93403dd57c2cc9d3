#pragma once

#include <cstdint>
#include <vector>

namespace negatron {

/// Where equal numbers stand among others.
///
/// *Example*: of 7, 3, 7, -1, 5 the values are 3, 5, 7, the positions 1 | 4 | 0, 2 and the begins 0, 1, 2, 4.
struct EqualNumbers {
  /// [m] each number once, ascending.
  std::vector<std::int64_t> values;
  /// [m + 1] where the positions of each begin, and their end.
  std::vector<std::int64_t> begins;
  /// Of all that are not below 0: those of values[0] first, those of one number ascending.
  std::vector<std::int64_t> positions;

  std::int64_t size() const { return static_cast<std::int64_t>(values.size()); }
};

/// Finds them for `count` numbers; those below 0 are no numbers. Time grows with the count, and with the number of bits
/// of the largest. Local.
EqualNumbers find_equal(const std::int64_t* numbers, std::int64_t count);

}  // namespace negatron

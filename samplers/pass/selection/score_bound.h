#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

namespace negatron {

/// How far a kernel's score of a query q and a row n may lie from q . n:
///   e = max|n| (|q - q'|_2 + (p d + 8) u (|q|_2 + |q - q'|_2)),
/// q' the p parts that the kernel makes of the query (score_term.h), u what an addition may round by; where numbers
/// below the normal ones count as 0, a little more (Higham, Accuracy and Stability of Numerical Algorithms, 3.1; the
/// inequality of Cauchy and Schwarz). A Number is a double, or a tensor of fp64 with one for each query.
struct ScoreBound {
  /// As long as no score exceeds this, none overflows.
  static constexpr double kLargest = std::numeric_limits<float>::max() / 4.0;
  /// Beside those of a product of d numbers: of lengths, of thresholds and of exact scores to fp32.
  static constexpr double kFurtherRoundings = 8.0;
  /// Numbers below the normal ones may count as 0: what a product is made of, and what comes out of at most so many
  /// steps of it for each number, in both parts of a query and in sums that are summed (amx_tiles.h).
  static constexpr double kLeastNormal = std::numeric_limits<float>::min();
  static constexpr double kStepsANumber = 4.0;

  std::int64_t width = 0;     // d
  int parts = 1;              // p
  double roundoff = 0x1p-24;  // u

  /// |n| of the longest row, or a little more: what fp32 made of |n|^2 is `largest_square`.
  template <class Number>
  Number longest(const Number& largest_square) const {
    using std::sqrt;
    const auto d = static_cast<double>(width);
    return sqrt(largest_square * (1.0 + (d + kFurtherRoundings) * roundoff) + d * kLeastNormal);
  }

  /// e, of a query with |q| and |q - q'|.
  template <class Number>
  Number error(const Number& length, const Number& rounding, const Number& largest_square) const {
    const auto d = static_cast<double>(width);
    const double roundings = (d * parts + kFurtherRoundings) * roundoff;
    const Number row = longest(largest_square);
    const Number least = kStepsANumber * d * kLeastNormal * (1.0 + length + row);
    return row * (rounding + roundings * (length + rounding)) + least;
  }

  /// What no score exceeds; not finite where something is not.
  template <class Number>
  Number limit(const Number& length, const Number& rounding, const Number& largest_square) const {
    constexpr double kLittleMore = 1.01;
    return kLittleMore * (length * longest(largest_square)) + error(length, rounding, largest_square);
  }
};

}  // namespace negatron

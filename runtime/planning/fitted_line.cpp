#include "runtime/planning/fitted_line.h"

#include <algorithm>
#include <stdexcept>

namespace negatron {

FittedLine fit_line(const std::vector<Measurement>& measurements) {
  const auto [smallest, largest] =
      std::minmax_element(measurements.begin(), measurements.end(),
                          [](const Measurement& left, const Measurement& right) { return left.size < right.size; });
  if (measurements.empty() || smallest->size == largest->size) {
    throw std::invalid_argument("a line needs measurements of two sizes");
  }
  // Normal equations of start / t + slope x / t = 1.
  double by_start = 0.0;
  double by_both = 0.0;
  double by_slope = 0.0;
  double start_side = 0.0;
  double slope_side = 0.0;
  for (const Measurement& measured : measurements) {
    if (!(measured.seconds > 0.0)) throw std::invalid_argument("a line is fitted to times above 0");
    const double one = 1.0 / measured.seconds;
    const double size = measured.size / measured.seconds;
    by_start += one * one;
    by_both += one * size;
    by_slope += size * size;
    start_side += one;
    slope_side += size;
  }
  const double determinant = by_start * by_slope - by_both * by_both;
  const FittedLine line{(start_side * by_slope - slope_side * by_both) / determinant,
                        (by_start * slope_side - by_both * start_side) / determinant};
  // With one coefficient 0 the other has an equation of its own: slope * sum((x/t)^2) = sum(x/t), or the same for the
  // start.
  if (line.start < 0.0) return {0.0, slope_side / by_slope};
  if (line.slope < 0.0) return {start_side / by_start, 0.0};
  return line;
}

}  // namespace negatron

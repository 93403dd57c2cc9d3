#pragma once

#include <vector>

namespace negatron {

struct Measurement {
  double size = 0.0;
  double seconds = 0.0;
};

/// seconds = start + size * slope, both at least 0.
struct FittedLine {
  double start = 0.0;
  double slope = 0.0;
};

/// The line with the least sum of squared relative errors: small and large sizes count alike. Where an unbounded fit
/// would have a negative coefficient, the best line with that coefficient 0. Throws std::invalid_argument without
/// two different sizes, or when a time is not above 0. Local.
FittedLine fit_line(const std::vector<Measurement>& measurements);

}  // namespace negatron

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace negatron {

/// A curve of any length in at most kMostPoints points, each the mean of equally many neighbours (the last of fewer).
/// Example: at most 4 points, values 1 to 5: the fifth makes them 1.5, 3.5, 5. Local.
class ThinnedCurve {
 public:
  static constexpr std::size_t kMostPoints = 1500;

  struct Point {
    double step = 0.0;
    double value = 0.0;
  };

  explicit ThinnedCurve(std::size_t most_points = kMostPoints) : most_points_(most_points) {}

  /// Values that are not finite are left out.
  void add(double step, double value);
  std::vector<Point> points() const;
  /// Of the values that were added last, however the curve was thinned; NaN when there is none.
  double mean_of_last(std::size_t count) const;
  /// What mean_of_last can look back on.
  static constexpr std::size_t kRemembered = 20;

 private:
  struct Sum {
    double steps = 0.0;
    double values = 0.0;
    std::size_t count = 0;
  };
  std::size_t most_points_;
  std::size_t neighbours_ = 1;
  std::vector<Sum> sums_;
  std::vector<double> last_;  // the newest at the end, at most kRemembered
};

}  // namespace negatron

#include "runtime/reports/thinned_curve.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace negatron {

void ThinnedCurve::add(double step, double value) {
  if (!std::isfinite(value)) return;
  if (last_.size() == kRemembered) last_.erase(last_.begin());
  last_.push_back(value);
  if (sums_.empty() || sums_.back().count == neighbours_) {
    if (sums_.size() == most_points_) {
      // All of them are full, so pairs of them are of one size; one without a partner waits for neighbours.
      std::vector<Sum> halved;
      for (std::size_t i = 0; i < sums_.size(); i += 2) {
        halved.push_back(sums_[i]);
        if (i + 1 == sums_.size()) continue;
        halved.back().steps += sums_[i + 1].steps;
        halved.back().values += sums_[i + 1].values;
        halved.back().count += sums_[i + 1].count;
      }
      sums_ = std::move(halved);
      neighbours_ *= 2;
    }
    if (sums_.empty() || sums_.back().count == neighbours_) sums_.emplace_back();
  }
  Sum& sum = sums_.back();
  sum.steps += step;
  sum.values += value;
  ++sum.count;
}

std::vector<ThinnedCurve::Point> ThinnedCurve::points() const {
  std::vector<Point> points;
  for (const Sum& sum : sums_) {
    const auto count = static_cast<double>(sum.count);
    points.push_back({sum.steps / count, sum.values / count});
  }
  return points;
}

double ThinnedCurve::mean_of_last(std::size_t count) const {
  const std::size_t taken = std::min(count, last_.size());
  if (taken == 0) return std::numeric_limits<double>::quiet_NaN();
  return std::accumulate(last_.end() - static_cast<std::ptrdiff_t>(taken), last_.end(), 0.0) /
         static_cast<double>(taken);
}

}  // namespace negatron

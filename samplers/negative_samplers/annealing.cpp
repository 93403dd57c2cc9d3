#include "samplers/negative_samplers/annealing.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <sstream>
#include <stdexcept>

namespace negatron {

const std::vector<std::string>& annealing_shapes() {
  static const std::vector<std::string> shapes = {"none", "linear", "cosine", "steps", "exponential"};
  return shapes;
}

double annealed(const std::string& shape, double start, double end, double progress) {
  const double way = std::clamp(progress, 0.0, 1.0);
  if (shape == "none") return end;
  if (shape == "linear") return start + (end - start) * way;
  if (shape == "cosine") return end + (start - end) * 0.5 * (1.0 + std::cos(std::numbers::pi * way));
  if (shape == "steps") {
    constexpr double kSteps = 10.0;
    return start + (end - start) * std::min(1.0, std::floor(way * (kSteps + 1.0)) / kSteps);
  }
  if (shape == "exponential") {
    constexpr double kDecay = 10.0;
    return end + (start - end) * std::exp(-kDecay * way);
  }
  throw std::invalid_argument("unknown annealing '" + shape + "'");
}

AdaptiveValue::AdaptiveValue(double start, double end, std::size_t window, double delta)
    : start_(start), end_(end), window_(window), delta_(delta), value_(start) {}

void AdaptiveValue::observe(double metric) {
  if (recent_.size() == window_) {
    const double mean = std::accumulate(recent_.begin(), recent_.end(), 0.0) / static_cast<double>(window_);
    const double toward_end = end_ > start_ ? delta_ : -delta_;
    value_ += metric < mean ? toward_end : -toward_end;
    value_ = std::clamp(value_, std::min(start_, end_), std::max(start_, end_));
    recent_.erase(recent_.begin());
  }
  recent_.push_back(metric);
}

std::string AdaptiveValue::state() const {
  std::ostringstream text;
  text.precision(17);
  text << value_;
  for (const double metric : recent_) text << ' ' << metric;
  return text.str();
}

void AdaptiveValue::restore(const std::string& state) {
  std::istringstream text(state);
  if (!(text >> value_)) throw std::invalid_argument("the saved state of an adaptive value is damaged");
  recent_.clear();
  for (double metric = 0.0; text >> metric;) recent_.push_back(metric);
}

}  // namespace negatron

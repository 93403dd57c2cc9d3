#pragma once

#include <string>
#include <vector>

namespace negatron {

/// The names that annealed() takes, for an option's choices.
const std::vector<std::string>& annealing_shapes();

/// What lies between `start` and `end` after the share `progress` of the way, 0 to 1 and beyond: "none" is always end;
/// "linear"; "cosine"; "steps" goes down or up in ten equal steps; "exponential" closes the gap by a factor e^-10 over
/// the whole way (algorithms.md 11.1). Throws std::invalid_argument for another shape. Local.
double annealed(const std::string& shape, double start, double end, double progress);

/// A value that follows a metric of which less is better: each time that the metric lies below the mean of its last
/// `window` values the value moves by `delta` toward `end`, above it back toward `start` (the adaptive policy of Wu et
/// al., ICLR 2021). Local; equal observations give equal values on all ranks.
class AdaptiveValue {
 public:
  AdaptiveValue(double start, double end, std::size_t window, double delta);
  void observe(double metric);
  double value() const noexcept { return value_; }
  /// For snapshots: value and window as text.
  std::string state() const;
  void restore(const std::string& state);

 private:
  double start_;
  double end_;
  std::size_t window_;
  double delta_;
  double value_;
  std::vector<double> recent_;
};

}  // namespace negatron

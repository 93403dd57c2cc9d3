#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace negatron {

/// How a value goes from its start to its end.
enum class AnnealingShape { kNone, kLinear, kCosine, kSteps, kExponential };

/// The names of the shapes in their order, for an option's choices.
const std::vector<std::string>& annealing_shapes();
/// annealing_shapes() and one word more, by which an option asks for something else than a shape.
std::vector<std::string> annealing_shapes_or(const std::string& word);
/// Throws std::invalid_argument for a name that is none of annealing_shapes(). Local.
AnnealingShape parse_annealing_shape(const std::string& name);

/// The share of a way of `epochs` that is behind after `epoch` of them; 1 for a way of no epochs.
double share_of_way(double epoch, double epochs);

/// What lies between `start` and `end` after the share `progress` of the way, 0 to 1 and beyond: none is always end;
/// linear; cosine; steps goes down or up in ten equal steps; exponential closes the gap by a factor e^-10 over
/// the whole way (SAMPLERS.md 16). Local.
double annealed(AnnealingShape shape, double start, double end, double progress);

/// A value that follows a metric of which less is better: each time that the metric lies below the mean of its last
/// `window` values the value moves by `delta` toward `end`, above it back toward `start` (the adaptive annealing of Wu
/// et al., ICLR 2021). Local; equal observations give equal values on all ranks.
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

/// A sampler's option that changes over a run: by a shape over some epochs, or after the loss. Local.
class Annealing {
 public:
  /// Way from `start` to `end` over `epochs`. `word` is the value of the option: a shape, or `following`, by which the
  /// value follows the loss as AdaptiveValue does, over the last 10 losses by steps of 0.01 (the official code of Wu et
  /// al.). Throws std::invalid_argument for another word.
  struct Way {
    double start = 0.0;
    double end = 1.0;
    double epochs = 0.0;
  };
  Annealing(const std::string& word, const std::string& following, const Way& way);

  double at(double epoch) const;
  /// What a step came to; nothing for a shape.
  void observe(double loss);
  std::string state() const { return adaptive_.state(); }
  void restore(const std::string& state) { adaptive_.restore(state); }

 private:
  /// Without one the value follows the loss.
  std::optional<AnnealingShape> shape_;
  Way way_;
  AdaptiveValue adaptive_;
};

}  // namespace negatron

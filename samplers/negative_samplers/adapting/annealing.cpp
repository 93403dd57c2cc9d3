#include "samplers/negative_samplers/adapting/annealing.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "samplers/negative_samplers/adapting/saved_number.h"

namespace negatron {

namespace {

constexpr std::size_t kLossWindow = 10;
constexpr double kLossDelta = 0.01;

std::optional<AnnealingShape> shape_unless(const std::string& word, const std::string& following) {
  if (word == following) return std::nullopt;
  return parse_annealing_shape(word);
}

}  // namespace

const std::vector<std::string>& annealing_shapes() {
  // In the order of AnnealingShape: a name's position is its value.
  static const std::vector<std::string> shapes = {"none", "linear", "cosine", "steps", "exponential"};
  return shapes;
}

std::vector<std::string> annealing_shapes_or(const std::string& word) {
  std::vector<std::string> all = annealing_shapes();
  all.push_back(word);
  return all;
}

AnnealingShape parse_annealing_shape(const std::string& name) {
  const auto& names = annealing_shapes();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) throw std::invalid_argument("unknown annealing '" + name + "'");
  return static_cast<AnnealingShape>(found - names.begin());
}

double share_of_way(double epoch, double epochs) {
  return epochs > 0.0 ? epoch / epochs : 1.0;
}

double annealed(AnnealingShape shape, double start, double end, double progress) {
  constexpr double kSteps = 10.0;
  constexpr double kDecay = 10.0;
  // Beyond its end a way stays at its end: runs go on after the annealing. See SAMPLERS.md 16 for numbers of each
  // shape.
  const double way = std::clamp(progress, 0.0, 1.0);
  switch (shape) {
    case AnnealingShape::kNone:
      return end;
    case AnnealingShape::kLinear:
      return start + (end - start) * way;
    case AnnealingShape::kCosine:
      return end + (start - end) * 0.5 * (1.0 + std::cos(std::numbers::pi * way));
    case AnnealingShape::kSteps:
      // Eleven plateaus, ten steps between them, so that start and end are held as long as the others. From 1 to 0.1, a
      // quarter of the way on: floor(2.75) = 2 steps of 0.09, hence 0.82.
      return start + (end - start) * std::min(1.0, std::floor(way * (kSteps + 1.0)) / kSteps);
    case AnnealingShape::kExponential:
      return end + (start - end) * std::exp(-kDecay * way);
  }
  throw std::logic_error("unknown shape of annealing");
}

AdaptiveValue::AdaptiveValue(double start, double end, std::size_t window, double delta)
    : start_(start), end_(end), window_(window), delta_(delta), value_(start) {}

void AdaptiveValue::observe(double metric) {
  // A step that was skipped because it was not finite says nothing, and no later mean could take it in.
  if (!std::isfinite(metric)) return;
  // Nothing moves before the window is full. The metric is compared with those before it and joins them afterwards. A
  // metric that is not below the mean moves the value back.
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
  // As many digits as bring a double back bit for bit: a run that goes on from a snapshot must take the same steps.
  text.precision(17);
  text << value_;
  for (const double metric : recent_) text << ' ' << metric;
  return text.str();
}

void AdaptiveValue::restore(const std::string& state) {
  std::istringstream text(state);
  double value = 0.0;
  std::vector<double> recent;
  bool is_whole = read_saved_number(text, value) && std::isfinite(value);
  // Fewer numbers than the window holds are right: the run was that young.
  while (is_whole && !(text >> std::ws).eof()) {
    double metric = 0.0;
    is_whole = read_saved_number(text, metric);
    // Versions that took skipped steps into the window wrote them down, too.
    if (std::isfinite(metric)) recent.push_back(metric);
  }
  if (!is_whole) throw std::invalid_argument("the saved state of an adaptive value is damaged");
  value_ = value;
  recent_ = std::move(recent);
}

Annealing::Annealing(const std::string& word, const std::string& following, const Way& way)
    : shape_(shape_unless(word, following)), way_(way), adaptive_(way.start, way.end, kLossWindow, kLossDelta) {}

double Annealing::at(double epoch) const {
  if (!shape_) return adaptive_.value();
  return annealed(*shape_, way_.start, way_.end, share_of_way(epoch, way_.epochs));
}

void Annealing::observe(double loss) {
  // The loss is the whole job's, so ranks move their values alike.
  if (!shape_) adaptive_.observe(loss);
}

}  // namespace negatron

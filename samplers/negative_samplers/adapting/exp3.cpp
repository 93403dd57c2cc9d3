#include "samplers/negative_samplers/adapting/exp3.h"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <stdexcept>

#include "samplers/negative_samplers/adapting/saved_number.h"
#include "samplers/random/philox.h"

namespace negatron {

Exp3::Exp3(std::size_t choices, double exploration, std::uint64_t seed)
    : exploration_(exploration), seed_(seed), log_weights_(choices, 0.0) {
  if (choices == 0) throw std::invalid_argument("Exp3: at least one choice is needed");
  draw();
}

double Exp3::probability(std::size_t choice) const {
  // Weights are kept as logarithms, since they grow without end, and only their ratios matter. A share of the draws
  // goes to all choices alike, so no probability that is divided by is 0 (SAMPLERS.md 16).
  const double peak = *std::max_element(log_weights_.begin(), log_weights_.end());
  double total = 0.0;
  for (const double weight : log_weights_) total += std::exp(weight - peak);
  const auto count = static_cast<double>(log_weights_.size());
  return (1.0 - exploration_) * std::exp(log_weights_[choice] - peak) / total + exploration_ / count;
}

void Exp3::reward(double value) {
  const auto count = static_cast<double>(log_weights_.size());
  // Only the choice that was made learns anything, hence the division by its probability: rarely drawn choices learn
  // more at a time, and all learn alike in the mean. Four choices of equal weight, g = 0.2, reward 0.6: the logarithm
  // grows by 0.2 * 0.6 / (0.25 * 4) = 0.12.
  log_weights_[choice_] += exploration_ * std::clamp(value, 0.0, 1.0) / (probability(choice_) * count);
  ++round_;
  draw();
}

void Exp3::draw() {
  // The choice in whose part of [0, 1) the number falls. The last one takes what rounding may leave.
  double left = CounterRng(seed_, Purpose::kNegativeDraw, round_, 0).uniform();
  for (choice_ = 0; choice_ + 1 < log_weights_.size(); ++choice_) {
    left -= probability(choice_);
    if (left < 0.0) return;
  }
}

std::string Exp3::state() const {
  std::ostringstream text;
  text.precision(17);
  text << round_;
  for (const double weight : log_weights_) text << ' ' << weight;
  return text.str();
}

void Exp3::restore(const std::string& state) {
  std::istringstream text(state);
  std::vector<double> weights(log_weights_.size());
  bool complete = static_cast<bool>(text >> round_);
  for (double& weight : weights) complete = complete && read_saved_number(text, weight) && std::isfinite(weight);
  if (!complete) throw std::invalid_argument("the saved state of a bandit is damaged");
  // The choice is not in the state: weights and round make the same draw once more.
  log_weights_ = weights;
  draw();
}

}  // namespace negatron

#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace negatron {

/// A bandit over a few choices (EXP3, Auer et al., SIAM J. Computing 32, 2002): draws one in proportion to weights that
/// grow with the rewards it brought. Draws depend on (seed, round) only and rewards are equal on all ranks, so all
/// ranks choose alike without a message. Local.
class Exp3 {
 public:
  /// `exploration` (gamma) is the share of draws that ignore the weights.
  Exp3(std::size_t choices, double exploration, std::uint64_t seed);

  std::size_t choice() const noexcept { return choice_; }
  /// What the current choice brought, 0 to 1; then draws the next.
  void reward(double value);

  std::string state() const;
  void restore(const std::string& state);

 private:
  double probability(std::size_t choice) const;
  void draw();

  double exploration_;
  std::uint64_t seed_;
  std::vector<double> log_weights_;
  std::uint64_t round_ = 0;
  std::size_t choice_ = 0;
};

}  // namespace negatron

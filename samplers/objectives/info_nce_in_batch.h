#pragma once

#include "samplers/objectives/objective.h"
#include "samplers/objectives/temperature.h"

namespace negatron {

/// InfoNCE of the positive key against the bank and the other keys of the whole global batch together. Only a query's
/// own key is left out of the batch's: two copies of one sample in a batch do meet.
///
/// Collective. dL/dq = (pi/tau) (O - k+) with l and O over both kinds of negatives. With `key_gradient` the keys take
/// gradient too (those in the bank never do), again from row log-sum-exps T alone (algorithms.md 1.10):
///   dL/dk_j = c / Bg [ sum_{i != j} exp(c q_i . k_j - T_i) q_i - pi_j q_j ].
/// Bytes received per rank, w bytes an element: (Bg - b) d w for keys; with key gradient also (Bg - b) (d + 1) w for
/// queries and log-sum-exps.
class InfoNceInBatch : public Objective {
 public:
  InfoNceInBatch(const TemperatureOptions& temperature, bool key_gradient)
      : temperature_(temperature), key_gradient_(key_gradient) {}

  std::vector<double> scales() const override { return {temperature_.scale()}; }
  bool needs_bank() const override { return true; }
  bool needs_key_gradient() const override { return key_gradient_; }
  ObjectiveOutput compute(Communicator& comm, const ObjectiveInput& input) override;
  std::vector<at::Tensor> parameters() const override { return temperature_.parameters(); }

 private:
  Temperature temperature_;
  bool key_gradient_;
};

}  // namespace negatron

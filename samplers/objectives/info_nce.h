#pragma once

#include "samplers/objectives/objective.h"
#include "samplers/objectives/temperature.h"

namespace negatron {

/// InfoNCE of the positive key against the bank, as MoCo does (algorithms.md 2.1, 3.6):
/// L = softplus(l - s+/tau), dL/dq = (pi/tau) (O - k+). Keys take no gradient. Local: the exchange did the rest.
class InfoNce : public Objective {
 public:
  explicit InfoNce(const TemperatureOptions& temperature) : temperature_(temperature) {}

  std::vector<double> scales() const override { return {temperature_.scale()}; }
  bool needs_bank() const override { return true; }
  bool needs_key_gradient() const override { return false; }
  ObjectiveOutput compute(Communicator& comm, const ObjectiveInput& input) override;
  std::vector<at::Tensor> parameters() const override { return temperature_.parameters(); }

 private:
  Temperature temperature_;
};

}  // namespace negatron

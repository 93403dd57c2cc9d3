#pragma once

#include "samplers/objectives/registry.h"

namespace negatron {

/// InfoNCE, and with it InfoNCE of positive and negatives that were perturbed against it, each by a vector of length
/// epsilon along its own gradient (Park and Chang, AdvIR, WWW 2019; LOSSES.md 19):
///
///     L = softplus(l - c s+) + weight softplus(l - c s+ + 2 c epsilon)
///
/// because the gradient of a negative is along q and that of the positive along -q. Local.
class AdvIr : public Objective {
 public:
  static ObjectiveDescription describe();
  explicit AdvIr(const ObjectiveArguments& arguments);

  std::vector<ObjectiveTerm> terms(const Anchors&) const override { return {temperature_.log_sum_exp()}; }
  ObjectiveLoss loss(Communicator& comm, const Contrast& contrast) const override;
  double temperature() const override { return 1.0 / temperature_.scale(); }
  std::vector<at::Tensor> parameters() const override { return temperature_.parameters(); }

 private:
  Temperature temperature_;
  double epsilon_;
  double weight_;
};

}  // namespace negatron

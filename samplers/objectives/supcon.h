#pragma once

#include "samplers/objectives/registry.h"

namespace negatron {

/// Supervised contrastive loss, L_out (LOSSES.md 6): with n further positives among the candidates,
///   L = log(exp(l) + exp(c s+)) - c (s+ + sum_a s_a) / (1 + n).
/// The own partner is always a positive; the further ones have the query's label, or are those that the sampler names
/// (with fn-attraction this is false-negative attraction, samplers/negative_samplers/SAMPLERS.md 7). All positives stay
/// in the denominator. Local.
class SupCon : public Objective {
 public:
  static ObjectiveDescription describe();
  explicit SupCon(const ObjectiveArguments& arguments) : temperature_(arguments.temperature) {}

  std::vector<ObjectiveTerm> terms(const Anchors& anchors) const override;
  ObjectiveLoss loss(Communicator& comm, const Contrast& contrast) const override;
  double temperature() const override { return 1.0 / temperature_.scale(); }
  std::vector<at::Tensor> parameters() const override { return temperature_.parameters(); }

 private:
  Temperature temperature_;
};

}  // namespace negatron

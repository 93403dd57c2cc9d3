#pragma once

#include "samplers/objectives/registry.h"

namespace negatron {

/// Negative sampling of word2vec (LOSSES.md 9): L = softplus(-c s+) + sum_j softplus(c s_j); the original has no
/// temperature, c = 1, over vectors of any length. Local.
class Neg : public Objective {
 public:
  static ObjectiveDescription describe();
  explicit Neg(const ObjectiveArguments& arguments) : temperature_(arguments.temperature) {}

  std::vector<ObjectiveTerm> terms(const Anchors& anchors) const override;
  ObjectiveLoss loss(Communicator& comm, const Contrast& contrast) const override;
  double temperature() const override { return 1.0 / temperature_.scale(); }
  std::vector<at::Tensor> parameters() const override { return temperature_.parameters(); }

 private:
  Temperature temperature_;
};

}  // namespace negatron

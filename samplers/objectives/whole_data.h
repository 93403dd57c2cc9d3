#pragma once

#include "samplers/objectives/registry.h"

namespace negatron {

/// Squared loss over all pairs, nothing sampled (Chen et al., ENMF, TOIS 2020; LOSSES.md 16): the positive is
/// drawn to 1, every negative to 0 with a small weight, L = (1 - s+)^2 + weight * sum_j s_j^2. The sum is q^T G q with
/// the Gram matrix G of the rows, so it costs no more than any other term. Local.
class WholeData : public Objective {
 public:
  static ObjectiveDescription describe();
  explicit WholeData(const ObjectiveArguments& arguments) : weight_(arguments.options.number("weight")) {}

  std::vector<ObjectiveTerm> terms(const Anchors& anchors) const override;
  ObjectiveLoss loss(Communicator& comm, const Contrast& contrast) const override;

 private:
  double weight_;
};

}  // namespace negatron

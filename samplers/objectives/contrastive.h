#pragma once

#include "samplers/objectives/hinge_mean.h"

namespace negatron {

/// Contrastive margin loss of Hadsell et al. (LOSSES.md 11), D between unit vectors: the mean over positive pairs
/// of D+^2 / 2, and the mean over negative pairs of max(0, margin - D_j)^2 / 2, all of them or the active ones.
/// Collective: one all-reduce of a scalar, the number of negative pairs.
class Contrastive : public Objective {
 public:
  static ObjectiveDescription describe();
  explicit Contrastive(const ObjectiveArguments& arguments);

  std::vector<ObjectiveTerm> terms(const Anchors& anchors) const override;
  ObjectiveLoss loss(Communicator& comm, const Contrast& contrast) const override;

 private:
  double margin_;
  HingeMean mean_;
};

}  // namespace negatron

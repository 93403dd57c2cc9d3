#pragma once

#include "samplers/objectives/hinge_mean.h"

namespace negatron {

/// Triplet loss (LOSSES.md 12): the mean over triplets of max(0, D+ - D_j + margin), D a squared distance as in
/// FaceNet, or a plain one. The mean is over the triplets of all ranks. Local.
class Triplet : public Objective {
 public:
  static ObjectiveDescription describe();
  explicit Triplet(const ObjectiveArguments& arguments);

  std::vector<ObjectiveTerm> terms(const Anchors& anchors) const override;
  bool terms_need_partners() const override { return true; }
  ObjectiveLoss loss(Communicator& comm, const Contrast& contrast) const override;

 private:
  double margin_;
  bool squared_;
  HingeMean mean_;
};

}  // namespace negatron

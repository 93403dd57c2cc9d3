#pragma once

#include "samplers/objectives/registry.h"

namespace negatron {

/// Soft nearest neighbours (LOSSES.md 7): L = -log of the share of the sample's own class in the sum of
/// exp(-D^2 / T) over all others, with T = tau; for unit vectors that is a softmax at scale 2 / T. Positives go by
/// label alone: in-batch the partner is one if its label says so. Against the bank the query's own key is a neighbour
/// of its class too. Samples without any neighbour of their class are left out of the mean. Local.
class SoftNn : public Objective {
 public:
  static ObjectiveDescription describe();
  explicit SoftNn(const ObjectiveArguments& arguments) : temperature_(arguments.temperature) {}

  std::vector<ObjectiveTerm> terms(const Anchors& anchors) const override;
  ObjectiveLoss loss(Communicator& comm, const Contrast& contrast) const override;
  bool partner_is_candidate() const override { return true; }
  double temperature() const override { return 1.0 / temperature_.scale(); }
  std::vector<at::Tensor> parameters() const override { return temperature_.parameters(); }

 private:
  Temperature temperature_;
};

}  // namespace negatron

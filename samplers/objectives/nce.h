#pragma once

#include "samplers/objectives/registry.h"

namespace negatron {

/// Noise-contrastive estimation (LOSSES.md 8): data or noise, one binary decision each, with k noise samples
/// drawn uniformly of M items and a model that is normalised by Z:
///   L = softplus(-(c s+ - shift)) + sum_j softplus(c s_j - shift),  shift = log Z + log(k / M).
/// Z is a given number or learned. Local.
class Nce : public Objective {
 public:
  static ObjectiveDescription describe();
  explicit Nce(const ObjectiveArguments& arguments);

  std::vector<ObjectiveTerm> terms(const Anchors& anchors) const override;
  ObjectiveLoss loss(Communicator& comm, const Contrast& contrast) const override;
  double temperature() const override { return 1.0 / temperature_.scale(); }
  std::vector<at::Tensor> parameters() const override;

 private:
  Temperature temperature_;
  double fixed_shift_;
  at::Tensor log_z_;  // undefined when Z is not learned: then it is part of fixed_shift_
};

}  // namespace negatron

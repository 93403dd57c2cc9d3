#pragma once

#include <cmath>

#include "samplers/objectives/registry.h"

namespace negatron {

/// Sigmoid loss of SigLIP (LOSSES.md 10): L = softplus(-(t s+ + b)) + sum_j softplus(t s_j + b), with log t and b
/// learned from log 10 and -10. Summed over negatives, averaged over queries. Local.
class SigLip : public Objective {
 public:
  static ObjectiveDescription describe();
  explicit SigLip(const ObjectiveArguments& arguments);

  std::vector<ObjectiveTerm> terms(const Anchors& anchors) const override;
  ObjectiveLoss loss(Communicator& comm, const Contrast& contrast) const override;
  double temperature() const override { return std::exp(-log_t_.item<double>()); }
  std::vector<at::Tensor> parameters() const override { return {log_t_, bias_}; }

 private:
  at::Tensor log_t_;
  at::Tensor bias_;
};

}  // namespace negatron

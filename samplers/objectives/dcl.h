#pragma once

#include "samplers/objectives/registry.h"

namespace negatron {

/// Decoupled contrastive learning (LOSSES.md 3): L = l - w c s+, the positive not being in the denominator.
/// Without negatives the first summand is 0. Local, but for the weights of DCLW.
class Dcl : public Objective {
 public:
  static ObjectiveDescription describe();
  explicit Dcl(const ObjectiveArguments& arguments) : temperature_(arguments.temperature) {}

  std::vector<ObjectiveTerm> terms(const Anchors&) const override { return {temperature_.log_sum_exp()}; }
  ObjectiveLoss loss(Communicator& comm, const Contrast& contrast) const override;
  double temperature() const override { return 1.0 / temperature_.scale(); }
  std::vector<at::Tensor> parameters() const override { return temperature_.parameters(); }

 protected:
  ObjectiveLoss weighted_loss(const Contrast& contrast, const at::Tensor& weights) const;
  double scale() const { return temperature_.scale(); }

 private:
  Temperature temperature_;
};

/// DCLW: w_i = 2 - exp(s_i+ / sigma) / mean_j exp(s_j+ / sigma), the mean over all anchors of all ranks. Attached, the
/// gradient through the weights is exact, also through the mean. Collective: two all-reduces of 1 and 2 doubles.
class Dclw : public Dcl {
 public:
  static ObjectiveDescription describe();
  explicit Dclw(const ObjectiveArguments& arguments);

  ObjectiveLoss loss(Communicator& comm, const Contrast& contrast) const override;

 private:
  double sigma_;
  bool attached_;
};

}  // namespace negatron

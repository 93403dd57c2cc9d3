#pragma once

#include "samplers/objectives/registry.h"

namespace negatron {

/// InfoNCE, and with it what a perturbation of positive and negatives by vectors of length epsilon does to it (Park and
/// Chang, AdvIR, WWW 2019; LOSSES.md 19). Adversarial: each is moved along its own gradient of the loss,
///
///     L = softplus(l - c s+) + weight softplus(l - c s+ + 2 c epsilon)
///
/// because the gradient of a negative is along q and that of the positive along -q. Virtual: they are moved, without
/// regard to which of them is the positive, so as to change the softmax over all of them most, and what is added is
/// the divergence from it,
///
///     L = softplus(l - c s+) + weight KL(b || b'),    b = sigmoid(y),  b' = sigmoid(y +- 2 c epsilon)
///
/// of the two-valued distribution "not the nearest of them", y its log odds, b a constant. Local.
class AdvIr : public Objective {
 public:
  static ObjectiveDescription describe();
  explicit AdvIr(const ObjectiveArguments& arguments);

  std::vector<ObjectiveTerm> terms(const Anchors& anchors) const override;
  ObjectiveLoss loss(Communicator& comm, const Contrast& contrast) const override;
  std::vector<std::string> warnings(std::int64_t width) const override;
  double temperature() const override { return 1.0 / temperature_.scale(); }
  std::vector<at::Tensor> parameters() const override { return temperature_.parameters(); }

 private:
  /// [A] y, the log odds of all candidates but the nearest one against that one.
  at::Tensor odds_against_nearest(const Contrast& contrast) const;
  /// [A] the divergence of the virtual variant, and how far a movement moves the log odds, 2 c epsilon, [A].
  at::Tensor divergence(const Contrast& contrast, const at::Tensor& movement) const;

  Temperature temperature_;
  double epsilon_;
  double weight_;
  bool virtual_;
};

}  // namespace negatron

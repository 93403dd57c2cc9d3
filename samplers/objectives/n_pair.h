#pragma once

#include "samplers/objectives/registry.h"

namespace negatron {

/// N-pair loss (LOSSES.md 14): L_i = log(1 + sum_{j != i} exp(f_i . k_j - f_i . k_i)) + lambda |f_i|^2, over the
/// keys of the other pairs, without temperature. Made for raw vectors, whose length the penalty holds. Local.
class NPair : public Objective {
 public:
  static ObjectiveDescription describe();
  explicit NPair(const ObjectiveArguments& arguments) : penalty_(arguments.options.number("l2")) {}

  std::vector<ObjectiveTerm> terms(const Anchors&) const override { return {ObjectiveTerm{}}; }
  ObjectiveLoss loss(Communicator& comm, const Contrast& contrast) const override;

 private:
  double penalty_;
};

}  // namespace negatron

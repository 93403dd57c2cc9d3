#pragma once

#include "samplers/objectives/registry.h"

namespace negatron {

/// BYOL (LOSSES.md 17): L = 2 - 2 q . k+ of the predicted query and the target key; no negatives. The loss of the
/// swapped views is the caller's second call. Local.
class Byol : public Objective {
 public:
  static ObjectiveDescription describe();
  explicit Byol(const ObjectiveArguments&) {}

  std::vector<ObjectiveTerm> terms(const Anchors&) const override { return {}; }
  ObjectiveLoss loss(Communicator& comm, const Contrast& contrast) const override;
};

}  // namespace negatron

#pragma once

#include "samplers/objectives/registry.h"

namespace negatron {

/// InfoNCE of the positive against the negatives (LOSSES.md 2): L = softplus(l - c s+), l = LSE(c s_j). With
/// further positives nothing changes: those are what supcon is for. Local.
class InfoNce : public Objective {
 public:
  static ObjectiveDescription describe();
  explicit InfoNce(const ObjectiveArguments& arguments) : temperature_(arguments.temperature) {}

  std::vector<ObjectiveTerm> terms(const Anchors&) const override { return {temperature_.log_sum_exp()}; }
  ObjectiveLoss loss(Communicator& comm, const Contrast& contrast) const override;
  double temperature() const override { return 1.0 / temperature_.scale(); }
  std::vector<at::Tensor> parameters() const override { return temperature_.parameters(); }

 private:
  Temperature temperature_;
};

/// The same over all views of all ranks' batches, as SimCLR does (LOSSES.md 2): only the anchor itself and its
/// partner are left out of the negatives, two copies of one sample in a batch do meet.
class NtXent : public InfoNce {
 public:
  static ObjectiveDescription describe();
  using InfoNce::InfoNce;
};

/// The same against the bank and the other samples' keys of all ranks' batches together.
class InfoNceInBatch : public InfoNce {
 public:
  static ObjectiveDescription describe();
  using InfoNce::InfoNce;
};

}  // namespace negatron

#pragma once

#include <optional>
#include <vector>

#include "samplers/objectives/registry.h"

namespace negatron {

/// Noise-contrastive estimation (LOSSES.md 8): data or noise, one binary decision each, with k noise samples
/// drawn uniformly of M items and a model that is normalised by Z:
///   L = softplus(-(c s+ - shift)) + sum_j softplus(c s_j - shift),  shift = log Z + log(k / M).
/// Z is a given number, learned, or what the first batch says of it: then the loss of that batch is collective.
class Nce : public Objective {
 public:
  static ObjectiveDescription describe();
  explicit Nce(const ObjectiveArguments& arguments);

  std::vector<ObjectiveTerm> terms(const Anchors& anchors) const override;
  ObjectiveLoss loss(Communicator& comm, const Contrast& contrast) const override;
  double temperature() const override { return 1.0 / temperature_.scale(); }
  std::vector<at::Tensor> parameters() const override;
  bool needs_first_look() const override;
  std::vector<ObjectiveTerm> first_terms(const Anchors& anchors) const override;
  void take_first(Communicator& comm, const Contrast& contrast) override;
  NamedState state() const override;
  void restore(const NamedState& state) override;

 private:
  /// h where Z is no parameter.
  double shift() const { return fixed_shift_ + first_log_z_.value_or(0.0); }

  Temperature temperature_;
  /// log M
  double log_items_;
  double fixed_shift_;
  bool from_first_batch_;
  /// Once the first batch was seen.
  std::optional<double> first_log_z_;
  at::Tensor log_z_;  // undefined when Z is not learned: then it is part of fixed_shift_
};

}  // namespace negatron

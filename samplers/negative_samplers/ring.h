#pragma once

#include "samplers/negative_samplers/adapting/annealing.h"
#include "samplers/negative_samplers/registry.h"

namespace negatron {

/// Conditional NCE: of all rows ranked by score, those from the inner to the outer rank (Wu et al., ICLR 2021;
/// SAMPLERS.md 5). outer = int(outer share * K), inner = int(inner share * outer) or, with inner-of-outer off,
/// int(inner share * K). inner 0 is their Ball, which drops the easy part only. K is what the bank holds at that step.
///
/// The outer share is annealed from 1 to its end over `anneal-epochs`; "adaptive" lets it follow the loss instead.
class Ring : public NegativeSampler {
 public:
  explicit Ring(const SamplerArguments& arguments);
  static SamplerDescription describe();
  NegativeRequest request(const Bank& bank, const QueryBatch& batch) const override;
  void observe(const StepFeedback& feedback) override;
  std::map<std::string, double> metrics() const override { return {{"ring_outer", last_outer_}}; }
  std::string state() const override { return outer_.state(); }
  void restore(const std::string& state) override { outer_.restore(state); }

 private:
  NegativeRequest base_;
  Annealing outer_;
  double inner_;
  bool inner_of_outer_;
  /// Of the last step, for the metrics.
  double last_outer_ = 1.0;
};

}  // namespace negatron

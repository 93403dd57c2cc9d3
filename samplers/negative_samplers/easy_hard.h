#pragma once

#include "samplers/negative_samplers/adapting/annealing.h"
#include "samplers/negative_samplers/registry.h"

namespace negatron {

/// A budget of rows a query, a share of it the hardest and the rest drawn from all others, as a curriculum over the
/// share (SAMPLERS.md 8; Cai et al., arXiv 2010.06682: the hardest 5 % matter, the hardest 0.1 % may harm). The
/// drawn rows count as often as there are rows for each of them, so they stand for the whole rest of the bank:
///   log( sum_hard e^u + (rest / drawn) sum_drawn e^u ).
class EasyHard : public NegativeSampler {
 public:
  explicit EasyHard(const SamplerArguments& arguments);
  static SamplerDescription describe();
  NegativeRequest request(const Bank& bank, const QueryBatch& batch) const override;
  void observe(const StepFeedback& feedback) override;
  std::map<std::string, double> metrics() const override { return {{"hard_share", last_share_}}; }
  std::string state() const override { return hard_share_.state(); }
  void restore(const std::string& state) override { hard_share_.restore(state); }

 private:
  NegativeRequest base_;
  std::uint64_t seed_;
  std::int64_t rows_;
  Annealing hard_share_;
  double skip_share_;
  /// Of the last step, for the metrics.
  double last_share_ = 0.0;
};

}  // namespace negatron

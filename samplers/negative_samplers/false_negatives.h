#pragma once

#include "samplers/negative_samplers/registry.h"

namespace negatron {

/// False negatives are the rows most similar to the query's key, which stands for the support views: those among the
/// top k and above a threshold (Huynh et al., WACV 2022; SAMPLERS.md 7).

/// They do not score.
class FnElimination : public NegativeSampler {
 public:
  explicit FnElimination(const SamplerArguments& arguments);
  static SamplerDescription describe();
  NegativeRequest request(const Bank& bank, const QueryBatch& batch) const override;

 private:
  NegativeRequest base_;
  std::int64_t top_k_;
  double threshold_;
};

/// They become further positives, for objectives that know more than one (supcon); they stay in the denominator.
class FnAttraction : public NegativeSampler {
 public:
  explicit FnAttraction(const SamplerArguments& arguments);
  static SamplerDescription describe();
  NegativeRequest request(const Bank& bank, const QueryBatch& batch) const override;

 private:
  NegativeRequest base_;
  std::int64_t top_k_;
  double threshold_;
};

}  // namespace negatron

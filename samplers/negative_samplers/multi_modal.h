#pragma once

#include "samplers/negative_samplers/registry.h"
#include "samplers/negative_samplers/type_pools.h"

namespace negatron {

/// The hardest rows of a bank whose rows are of several types (modalities, sources): so many of each type, or the N
/// hardest when the scores of each type count by a factor (SAMPLERS.md 14). Where one type scores
/// systematically higher than another, a plain top-N would be of that type alone.
class MultiModal : public NegativeSampler {
 public:
  explicit MultiModal(const SamplerArguments& arguments);
  static SamplerDescription describe();
  NegativeRequest request(const Bank& bank, const QueryBatch& batch) const override;

 private:
  NegativeRequest base_;
  TypePools pools_;
  std::int64_t n_;
  std::int64_t skip_;
  double warmup_epochs_;
};

}  // namespace negatron

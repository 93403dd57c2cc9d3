#pragma once

#include "samplers/negative_samplers/registry.h"

namespace negatron {

/// The m rows most similar to the positive, or half of them and half at random (Rao, He, Lin, CIKM 2016; SAMPLERS.md
/// 11), of the whole bank or, as in the paper, of some random candidates. Similarity is to the key of this step, where
/// the paper uses the model of the previous epoch.
class MaxSampling : public NegativeSampler {
 public:
  explicit MaxSampling(const SamplerArguments& arguments);
  static SamplerDescription describe();
  NegativeRequest request(const Bank& bank, const QueryBatch& batch) const override;

 private:
  NegativeRequest base_;
  std::uint64_t seed_;
  std::int64_t rows_;
  /// 0 for the whole bank.
  std::int64_t candidates_;
  bool mix_;
};

}  // namespace negatron

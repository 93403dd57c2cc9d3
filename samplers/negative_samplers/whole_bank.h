#pragma once

#include "samplers/negative_samplers/registry.h"

namespace negatron {

/// Every valid row of the bank, as MoCo does (He et al., CVPR 2020; SAMPLERS.md 3).
class WholeBank : public NegativeSampler {
 public:
  explicit WholeBank(const SamplerArguments& arguments) : base_(arguments.base) {}
  static SamplerDescription describe();
  NegativeRequest request(const Bank& bank, const QueryBatch& batch) const override;

 private:
  NegativeRequest base_;
};

}  // namespace negatron

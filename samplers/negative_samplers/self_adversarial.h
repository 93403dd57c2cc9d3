#pragma once

#include "samplers/negative_samplers/registry.h"

namespace negatron {

/// The whole bank, each row weighted by the softmax of alpha times its score, as a constant (Sun et al., RotatE, ICLR
/// 2019; SAMPLERS.md 9). For objectives that sum over rows: neg, nce, siglip, hinges; log-sum-exps stay as they
/// are.
class SelfAdversarial : public NegativeSampler {
 public:
  explicit SelfAdversarial(const SamplerArguments& arguments);
  static SamplerDescription describe();
  NegativeRequest request(const Bank& bank, const QueryBatch& batch) const override;

 private:
  NegativeRequest base_;
};

}  // namespace negatron

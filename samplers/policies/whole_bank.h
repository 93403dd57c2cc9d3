#pragma once

#include "samplers/policies/negative_sampler.h"

namespace negatron {

/// Every valid row of the bank, as MoCo does, except the query's own sample: an older key of the same sample would be a
/// positive among the negatives (algorithms.md 3.6 and 10.6, traps).
class WholeBank : public NegativeSampler {
 public:
  explicit WholeBank(bool mask_own_sample = true) : mask_own_sample_(mask_own_sample) {}

  NegativeRequest draw(const Bank& bank, const QueryBatch& batch) const override;

 private:
  bool mask_own_sample_;
};

}  // namespace negatron

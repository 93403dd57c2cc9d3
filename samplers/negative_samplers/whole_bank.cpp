#include "samplers/negative_samplers/whole_bank.h"

namespace negatron {

SamplerDescription WholeBank::describe() {
  return {"whole-bank", "He et al., MoCo, CVPR 2020", "every row of the bank", {Effect::kScoreTransform}, {}};
}

NegativeRequest WholeBank::request(const Bank&, const QueryBatch&) const {
  // One set that every candidate is in: a log-sum-exp then needs no rank and no list, only one pass (SAMPLERS.md 3).
  return base_;
}

}  // namespace negatron

#include "samplers/negative_samplers/whole_bank.h"

namespace negatron {

SamplerDescription WholeBank::describe() {
  return {"whole-bank", "He et al., MoCo, CVPR 2020", "every row of the bank", {Effect::kScoreTransform}, {}};
}

NegativeRequest WholeBank::request(const Bank&, const QueryBatch&) const {
  return base_;
}

}  // namespace negatron

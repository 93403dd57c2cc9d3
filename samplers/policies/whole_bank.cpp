#include "samplers/policies/whole_bank.h"

namespace negatron {

SamplerDescription WholeBank::describe() {
  return {"whole-bank", "He et al., MoCo, CVPR 2020", "every row of the bank", {Effect::kScoreTransform}, {}};
}

NegativeRequest WholeBank::draw(const Bank&, const QueryBatch&) const {
  return base_;
}

}  // namespace negatron

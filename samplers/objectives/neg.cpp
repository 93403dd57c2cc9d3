#include "samplers/objectives/neg.h"

#include "samplers/objectives/exact_softplus.h"

namespace negatron {

ObjectiveDescription Neg::describe() {
  return {"neg", "Mikolov et al., word2vec, NIPS 2013", "logistic loss of the positive and of each negative", {}};
}

std::vector<ObjectiveTerm> Neg::terms(const Anchors&) const {
  ObjectiveTerm negatives = temperature_.log_sum_exp();
  // sum_j sp(c s_j), LOSSES.md 9. A sum and no mean: each shard adds its own rows, and the size grows with the bank.
  negatives.term.shape = TermShape::kSoftplus;
  negatives.term.reduction = Reduction::kSum;
  return {negatives};
}

ObjectiveLoss Neg::loss(Communicator&, const Contrast& contrast) const {
  ObjectiveLoss result;
  result.per_anchor = exact_softplus(-temperature_.logits(contrast.anchors.positive)) + contrast.terms[0];
  return result;
}

}  // namespace negatron

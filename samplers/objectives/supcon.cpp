#include "samplers/objectives/supcon.h"

namespace negatron {

ObjectiveDescription SupCon::describe() {
  ObjectiveDescription description{
      "supcon", "Khosla et al., SupCon, NeurIPS 2020", "every candidate of the query's label is a positive too", {}};
  description.needs_labels = true;
  return description;
}

std::vector<ObjectiveTerm> SupCon::terms(const Anchors&) const {
  // Three terms: l over all candidates, and over the further positives among them the sum of c s and their number. L =
  // log(exp(l) + exp(c s+)) - (mean of c s over key and further positives); the example has 4.32680 - (4 + 3) / 2 =
  // 0.82680 (LOSSES.md 6).
  ObjectiveTerm sum = temperature_.log_sum_exp();
  sum.term.reduction = Reduction::kSum;
  sum.term.rows = TermRows::kPositives;
  ObjectiveTerm count;
  count.term.shape = TermShape::kOne;
  count.term.reduction = Reduction::kSum;
  count.term.rows = TermRows::kPositives;
  // A count has no gradient, and a term without one sends a number per query and shard instead of a vector.
  count.term.want_gradient = false;
  return {temperature_.log_sum_exp(), sum, count};
}

ObjectiveLoss SupCon::loss(Communicator&, const Contrast& contrast) const {
  const at::Tensor own = temperature_.logits(contrast.anchors.positive);
  ObjectiveLoss result;
  result.per_anchor = at::logaddexp(contrast.terms[0], own) - (own + contrast.terms[1]) / (1.0 + contrast.terms[2]);
  result.metrics["positives"] = (1.0 + contrast.terms[2]).sum();
  return result;
}

}  // namespace negatron

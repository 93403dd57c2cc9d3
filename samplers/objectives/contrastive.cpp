#include "samplers/objectives/contrastive.h"

namespace negatron {

ObjectiveDescription Contrastive::describe() {
  ObjectiveDescription description{"contrastive",
                                   "Hadsell et al., CVPR 2006",
                                   "positives together, negatives apart by a margin",
                                   {{"margin", 1.0, "in units of the distance", 0.0}, hinge_mean_option()}};
  description.uses_temperature = false;
  description.why_unit_rows = kUnitDistances;
  return description;
}

Contrastive::Contrastive(const ObjectiveArguments& arguments)
    : margin_(arguments.options.number("margin")), mean_(hinge_mean_of(arguments.options)) {}

std::vector<ObjectiveTerm> Contrastive::terms(const Anchors&) const {
  ObjectiveTerm hinge;
  // sum_j max(0, margin - D_j)^2 / 2, and beside it the number of pairs by which the mean divides (LOSSES.md 11).
  hinge.term.shape = TermShape::kDistanceHingeSquared;
  hinge.term.reduction = Reduction::kSum;
  hinge.term.offset = margin_;
  return {hinge, divisor_of(hinge, mean_)};
}

ObjectiveLoss Contrastive::loss(Communicator& comm, const Contrast& contrast) const {
  // Collective, also on a rank whose share of the batch is empty: it adds 0 pairs. Two means over different things make
  // the loss, so it names no divisor, and the second mean is brought to the divisor of the first.
  const at::Tensor pairs = contrast.terms[1].detach().sum();
  const at::Tensor all_pairs = pairs.clone();
  comm.all_reduce(all_pairs, ReduceOp::kSum);
  // What is returned is averaged over anchors, so the mean over pairs is scaled by how many pairs an anchor has.
  const at::Tensor anchors_per_pair =
      static_cast<double>(contrast.anchors.global_count) / at::where(all_pairs > 0.0, all_pairs, at::ones_like(pairs));
  ObjectiveLoss result;
  result.per_anchor = (1.0 - contrast.anchors.positive) + contrast.terms[0] * anchors_per_pair;  // D+^2 / 2 = 1 - s+
  if (mean_ == HingeMean::kActive) result.metrics["active"] = pairs;
  return result;
}

}  // namespace negatron

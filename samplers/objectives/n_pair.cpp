#include "samplers/objectives/n_pair.h"

#include "samplers/objectives/exact_softplus.h"

namespace negatron {

ObjectiveDescription NPair::describe() {
  ObjectiveDescription description{
      "n-pair",
      "Sohn, N-pair loss, NIPS 2016",
      "InfoNCE over the other pairs' keys, without temperature",
      {{"l2", 0.0, "lambda of the penalty on squared lengths, for vectors that are not normalised", 0.0}},
      {NegativeSource::kBatch, NegativeSource::kBank, NegativeSource::kBankAndBatch}};
  // The paper has one anchor a pair: keys are candidates only, where other in-batch losses take both views as anchors.
  description.queries_only = true;
  description.uses_temperature = false;
  description.why_inner_products = "lengths take the place of its temperature, and its penalty holds them back";
  return description;
}

ObjectiveLoss NPair::loss(Communicator&, const Contrast& contrast) const {
  ObjectiveLoss result;
  // InfoNCE at scale 1 (LOSSES.md 14): lengths take the place of a temperature, and the penalty holds the lengths.
  result.per_anchor = exact_softplus(contrast.terms[0] - contrast.anchors.positive);
  if (penalty_ > 0.0) result.per_anchor = result.per_anchor + contrast.anchors.vectors.square().sum(1) * penalty_;
  return result;
}

}  // namespace negatron

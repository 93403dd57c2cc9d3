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
  description.queries_only = true;
  description.uses_temperature = false;
  return description;
}

ObjectiveLoss NPair::loss(Communicator&, const Contrast& contrast) const {
  ObjectiveLoss result;
  result.per_anchor = exact_softplus(contrast.terms[0] - contrast.anchors.positive);
  if (penalty_ > 0.0) result.per_anchor = result.per_anchor + contrast.anchors.vectors.square().sum(1) * penalty_;
  return result;
}

}  // namespace negatron

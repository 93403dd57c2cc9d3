#include "samplers/objectives/byol.h"

namespace negatron {

ObjectiveDescription Byol::describe() {
  ObjectiveDescription description{"byol",
                                   "Grill et al., BYOL, NeurIPS 2020",
                                   "a predictor meets the target key; no negatives",
                                   {},
                                   {NegativeSource::kNone}};
  description.needs_predictor = true;
  description.uses_temperature = false;
  description.why_unit_rows = "its loss is the squared distance of unit vectors, 2 - 2 s";
  return description;
}

ObjectiveLoss Byol::loss(Communicator&, const Contrast& contrast) const {
  ObjectiveLoss result;
  // The squared distance of unit vectors, 2 - 2 q . k; at s+ = 0.8 it is 0.4 (LOSSES.md 17). No term is asked for, so
  // nothing is scored.
  result.per_anchor = 2.0 - 2.0 * contrast.anchors.positive;
  return result;
}

}  // namespace negatron

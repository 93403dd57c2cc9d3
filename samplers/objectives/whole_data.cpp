#include "samplers/objectives/whole_data.h"

namespace negatron {

ObjectiveDescription WholeData::describe() {
  ObjectiveDescription description{"whole-data",
                                   "Chen et al., ENMF, TOIS 2020",
                                   "squared loss of every pair, unsampled",
                                   {{"weight", 0.01, "of each negative's squared score", 0.0}}};
  description.uses_temperature = false;
  description.why_inner_products = "it draws the scores of negatives to 0, which is the distance of equal vectors";
  return description;
}

std::vector<ObjectiveTerm> WholeData::terms(const Anchors&) const {
  ObjectiveTerm squares;
  // sum_j s_j^2 (LOSSES.md 16). With a weight of 0.01 the example is 0.2^2 + 0.01 (0.36 + 0 + 0.64) = 0.05.
  squares.term.shape = TermShape::kSquare;
  squares.term.reduction = Reduction::kSum;
  return {squares};
}

ObjectiveLoss WholeData::loss(Communicator&, const Contrast& contrast) const {
  ObjectiveLoss result;
  result.per_anchor = (1.0 - contrast.anchors.positive).square() + weight_ * contrast.terms[0];
  return result;
}

}  // namespace negatron

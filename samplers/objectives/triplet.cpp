#include "samplers/objectives/triplet.h"

namespace negatron {

ObjectiveDescription Triplet::describe() {
  ObjectiveDescription description{"triplet",
                                   "Schroff et al., FaceNet, CVPR 2015",
                                   "the positive nearer than each negative by a margin",
                                   {{"margin", 0.2, "in units of the distance", 0.0},
                                    {.name = "distance",
                                     .default_value = std::string("squared"),
                                     .help = "between unit vectors",
                                     .choices = {"squared", "l2"}},
                                    hinge_mean_option()}};
  description.uses_temperature = false;
  description.why_unit_rows = kUnitDistances;
  return description;
}

Triplet::Triplet(const ObjectiveArguments& arguments)
    : margin_(arguments.options.number("margin")),
      squared_(arguments.options.word("distance") == "squared"),
      mean_(hinge_mean_of(arguments.options)) {}

std::vector<ObjectiveTerm> Triplet::terms(const Anchors& anchors) const {
  // hinge_j = max(0, D+^2 - D_j^2 + margin), LOSSES.md 12: u = 2 s_j + (margin - 2) + D+^2. The offset D+^2 takes
  // gradient, by the slope, the number of active hinges; through it the key gets its share where it is trained.
  const at::Tensor squared_distance = 2.0 - 2.0 * anchors.positive;  // [A] D+^2
  ObjectiveTerm hinge;
  hinge.term.reduction = Reduction::kSum;
  hinge.term.want_slope = true;
  if (squared_) {
    // -D_j^2 = 2 s_j - 2
    hinge.term.shape = TermShape::kHinge;
    hinge.term.scale = 2.0;
    hinge.term.offset = margin_ - 2.0;
    hinge.term.query_offset = squared_distance;
  } else {
    hinge.term.shape = TermShape::kDistanceHinge;
    hinge.term.offset = margin_;
    hinge.term.query_offset = squared_distance.clamp_min(kLeastSquaredDistance).sqrt();
  }
  return {hinge, divisor_of(hinge, mean_)};
}

ObjectiveLoss Triplet::loss(Communicator&, const Contrast& contrast) const {
  ObjectiveLoss result;
  result.per_anchor = contrast.terms[0];
  // This rank's part of the divisor. Parts are added over ranks before anything is divided, since a mean of the ranks'
  // means would be another loss.
  result.normalizer = contrast.terms[1].detach().sum();
  if (mean_ == HingeMean::kActive) result.metrics["active"] = result.normalizer;
  return result;
}

}  // namespace negatron

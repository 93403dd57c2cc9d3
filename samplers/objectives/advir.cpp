#include "samplers/objectives/advir.h"

#include "samplers/objectives/exact_softplus.h"

namespace negatron {

ObjectiveDescription AdvIr::describe() {
  ObjectiveDescription description{"advir",
                                   "Park and Chang, AdvIR, WWW 2019",
                                   "InfoNCE, also of positive and negatives that were perturbed against it",
                                   {{"epsilon", 0.05, "length of what each is perturbed by", 0.0},
                                    {"weight", 1.0, "of the perturbed loss beside the other", 0.0}}};
  description.why_unit_rows = "what it perturbs by is epsilon times a unit query";
  return description;
}

AdvIr::AdvIr(const ObjectiveArguments& arguments)
    : temperature_(arguments.temperature),
      epsilon_(arguments.options.number("epsilon")),
      weight_(arguments.options.number("weight")) {}

ObjectiveLoss AdvIr::loss(Communicator&, const Contrast& contrast) const {
  const at::Tensor& positive = contrast.anchors.positive;
  // n + epsilon q scores q . n + epsilon, and k - epsilon q scores s+ - epsilon: l = 3.04946, c s+ = 4 and epsilon =
  // 0.05 make sp(-0.95054) = 0.32680 and sp(-0.45054) = 0.49304 (LOSSES.md 19).
  const at::Tensor gap = contrast.terms[0] - temperature_.logits(positive);
  const at::Tensor perturbed = gap + temperature_.logits(at::full_like(positive, 2.0 * epsilon_).detach());
  ObjectiveLoss result;
  result.per_anchor = exact_softplus(gap) + weight_ * exact_softplus(perturbed);
  return result;
}

}  // namespace negatron

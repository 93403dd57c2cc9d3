#include "samplers/objectives/siglip.h"

#include <cmath>

#include "samplers/objectives/exact_softplus.h"

namespace negatron {

ObjectiveDescription SigLip::describe() {
  ObjectiveDescription description{
      "siglip",
      "Zhai et al., SigLIP, ICCV 2023",
      "logistic loss of each pair, scale and bias learned",
      {{"t", 10.0, "scale of the scores at the start", 1e-6},
       {"bias", -10.0, "at the start"},
       {"bias-from-bank", false, "start the bias at -log K instead, the log odds of a positive in the bank"}}};
  description.uses_temperature = false;
  return description;
}

SigLip::SigLip(const ObjectiveArguments& arguments)
    : log_t_(learned_scalar(std::log(arguments.options.number("t")), arguments.temperature)) {
  // -log K makes the sigmoid of a score of 0 about 1 / K, the share of positives among the pairs. K = 65,536: b starts
  // at -11.09.
  const bool from_bank = arguments.options.on("bias-from-bank") && arguments.bank_rows > 0;
  bias_ =
      learned_scalar(from_bank ? -std::log(static_cast<double>(arguments.bank_rows)) : arguments.options.number("bias"),
                     arguments.temperature);
}

std::vector<ObjectiveTerm> SigLip::terms(const Anchors& anchors) const {
  // sum_j sp(t s_j + b), LOSSES.md 10. b is an offset per query so that it takes gradient by the slope; t is the term's
  // scale, whose gradient follows from that of the query (log_scale).
  ObjectiveTerm negatives;
  negatives.term.shape = TermShape::kSoftplus;
  negatives.term.reduction = Reduction::kSum;
  negatives.term.scale = std::exp(log_t_.item<double>());
  negatives.term.query_offset = bias_.to(anchors.vectors.scalar_type()).expand(anchors.vectors.size(0));
  negatives.term.want_slope = true;
  negatives.log_scale = log_t_;
  return {negatives};
}

ObjectiveLoss SigLip::loss(Communicator&, const Contrast& contrast) const {
  const at::Tensor& positive = contrast.anchors.positive;
  // The positive's logit in autograd's own operations, so t and b get this part of their gradients there. t = 10, b =
  // -10, s+ = 0.8: the logit is -2, and sp(2) = 2.12693 is most of the example's 2.14512.
  const at::Tensor logit = positive * log_t_.to(positive.scalar_type()).exp() + bias_.to(positive.scalar_type());
  ObjectiveLoss result;
  result.per_anchor = exact_softplus(-logit) + contrast.terms[0];
  return result;
}

}  // namespace negatron

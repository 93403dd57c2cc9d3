#include "samplers/objectives/dcl.h"

#include <limits>

namespace negatron {
namespace {

/// The softmax of cosines has an end, that of distances none.
constexpr const char* kFallsWithoutEnd =
    "it leaves the positive out of its softmax, so that it falls without end as negatives get farther";

}  // namespace

ObjectiveDescription Dcl::describe() {
  ObjectiveDescription description{
      "dcl", "Yeh et al., DCL, ECCV 2022", "InfoNCE without the positive in the denominator", {}};
  description.why_inner_products = kFallsWithoutEnd;
  return description;
}

ObjectiveDescription Dclw::describe() {
  ObjectiveDescription description{"dclw",
                                   "Yeh et al., DCL, ECCV 2022",
                                   "DCL that weights easy positives down",
                                   {{"sigma", 0.5, "of the weights, in units of similarity", 1e-3},
                                    {.name = "weights",
                                     .default_value = std::string("detached"),
                                     .help = "whether gradient flows through the weights",
                                     .choices = {"detached", "attached"}}}};
  description.why_inner_products = kFallsWithoutEnd;
  return description;
}

Dclw::Dclw(const ObjectiveArguments& arguments)
    : Dcl(arguments),
      sigma_(arguments.options.number("sigma")),
      attached_(arguments.options.word("weights") == "attached") {}

ObjectiveLoss Dcl::weighted_loss(const Contrast& contrast, const at::Tensor& weights) const {
  // L = l - w c s+ (LOSSES.md 3). Without the positive in the denominator nothing bounds l from below: over no negative
  // it is -infinity, which is replaced, as the anchor still has its positive.
  at::Tensor pull = temperature_.logits(contrast.anchors.positive);
  if (weights.defined()) pull = pull * weights;
  ObjectiveLoss result;
  result.per_anchor = at::where(contrast.count > 0, contrast.terms[0], at::zeros_like(pull)) - pull;
  return result;
}

ObjectiveLoss Dcl::loss(Communicator&, const Contrast& contrast) const {
  return weighted_loss(contrast, at::Tensor());
}

ObjectiveLoss Dclw::loss(Communicator& comm, const Contrast& contrast) const {
  // w_i = 2 - e_i / mean(e) with e_i = exp(s_i+ / sigma) over the anchors of all ranks. Positives 0.8 and 0.4 at sigma
  // 0.5: e = 4.953 and 2.226, mean 3.589, weights 0.620 and 1.380.
  //
  // Two all_reduces, maximum and sums, which every rank takes part in, with -infinity and 0 where it has no anchor.
  const at::Tensor& positive = contrast.anchors.positive;  // [A]
  const auto anchors = static_cast<double>(contrast.anchors.global_count);
  const at::Tensor fixed = positive.detach().to(at::kDouble);
  // Raw vectors may have any similarity: exponents are taken relative to the largest of all ranks.
  const at::Tensor peak = at::full({}, -std::numeric_limits<double>::infinity(), fixed.options());
  if (fixed.numel() > 0) peak.copy_(fixed.max());
  comm.all_reduce(peak, ReduceOp::kMax);
  const at::Tensor shares = ((fixed - peak) / sigma_).exp();
  const at::Tensor sums = at::stack({shares.sum(), (shares * fixed).sum()});  // of e and of s+ e
  comm.all_reduce(sums, ReduceOp::kSum);
  const at::Tensor mean = (sums[0] / anchors).to(positive.scalar_type());

  const at::Tensor shift = peak.to(positive.scalar_type());
  const at::Tensor share = (((attached_ ? positive : positive.detach()) - shift) / sigma_).exp();  // [A] e
  // Share and mean are relative to the same peak, which cancels in the quotient.
  ObjectiveLoss result = weighted_loss(contrast, 2.0 - share / mean);
  if (!attached_) return result;
  // Every anchor's weight depends on every e through the mean m: d(sum_i L_i)/dm = -c sum_i s_i+ e_i / m^2, times
  // dm/de = 1 / anchors. Own e take that as a summand of value 0.
  const at::Tensor by_mean = sums[1].to(positive.scalar_type()) * (-scale() / anchors) / (mean * mean);
  result.per_anchor = result.per_anchor + by_mean * (share - share.detach());
  return result;
}

}  // namespace negatron

#include "samplers/objectives/lifted.h"

#include "samplers/objectives/nearest_negative.h"

namespace negatron {
namespace {

/// Of alpha - D over no row; low, and finite so that differences of two such are no NaN.
constexpr double kNoNegatives = -1e4;

}  // namespace

ObjectiveDescription Lifted::describe() {
  ObjectiveDescription description{"lifted",
                                   "Oh Song et al., Lifted Structured Loss, CVPR 2016",
                                   "all negatives of both samples of a pair push at once",
                                   {{"alpha", 1.0, "margin, in units of the distance", 0.0},
                                    {.name = "negatives",
                                     .default_value = std::string("smooth"),
                                     .help = "log-sum of all, or the nearest only",
                                     .choices = {"smooth", "max"}}},
                                   {NegativeSource::kBatch, NegativeSource::kBank, NegativeSource::kBankAndBatch}};
  description.uses_temperature = false;
  description.why_unit_rows = kUnitDistances;
  return description;
}

Lifted::Lifted(const ObjectiveArguments& arguments)
    : alpha_(arguments.options.number("alpha")), maximum_(arguments.options.word("negatives") == "max") {}

std::vector<ObjectiveTerm> Lifted::terms(const Anchors&) const {
  // m = LSE_j(alpha - D_j), or alpha - D of the nearest negative (LOSSES.md 15).
  ObjectiveTerm negatives;
  negatives.term.shape = TermShape::kMinusDistance;
  negatives.term.offset = alpha_;
  if (maximum_) negatives.term = of_nearest(negatives.term);
  return {negatives};
}

at::Tensor Lifted::energies(const Contrast& contrast) const {
  // J = log(exp(m_i) + exp(m_p)) + D+ where both views are anchors, m_i + D+ against a bank. In the example m = 0.77926
  // and D+ = 0.63246, so J = 1.41171 and the loss J^2 / 2 = 0.99646.
  const at::Tensor& value = contrast.terms[0];
  at::Tensor near = at::where(contrast.count > 0, value, at::full_like(value, kNoNegatives));  // [A] m
  if (contrast.anchors.both_views) {
    // b queries, then their b keys: the partner of anchor i lies b places on, modulo 2 b.
    const at::Tensor of_partner = near.roll(near.size(0) / 2, 0);
    near = maximum_ ? at::maximum(near, of_partner) : at::logaddexp(near, of_partner);
  }
  return near + (2.0 - 2.0 * contrast.anchors.positive).clamp_min(kLeastSquaredDistance).sqrt();
}

ObjectiveLoss Lifted::loss(Communicator&, const Contrast& contrast) const {
  ObjectiveLoss result;
  result.per_anchor = energies(contrast).clamp_min(0.0).square() * 0.5;
  return result;
}

}  // namespace negatron

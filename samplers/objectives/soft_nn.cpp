#include "samplers/objectives/soft_nn.h"

namespace negatron {
namespace {

/// -D^2 / T = (2 s - 2) / T; the constant cancels.
constexpr double kOfSquaredDistance = 2.0;

}  // namespace

ObjectiveDescription SoftNn::describe() {
  ObjectiveDescription description{"soft-nn",
                                   "Frosst et al., Soft Nearest Neighbor Loss, ICML 2019",
                                   "share of the own class among neighbours, by squared distance over T = --tau",
                                   {},
                                   {NegativeSource::kBatch, NegativeSource::kBank, NegativeSource::kBankAndBatch}};
  description.needs_labels = true;
  description.why_unit_rows = kUnitDistances;
  return description;
}

std::vector<ObjectiveTerm> SoftNn::terms(const Anchors&) const {
  // The two log-sum-exps at scale 2 / T, over all candidates and over those of the own class (LOSSES.md 7).
  const ObjectiveTerm all = temperature_.log_sum_exp(kOfSquaredDistance);
  ObjectiveTerm same = all;
  same.term.rows = TermRows::kPositives;
  return {all, same};
}

ObjectiveLoss SoftNn::loss(Communicator&, const Contrast& contrast) const {
  at::Tensor all = contrast.terms[0];
  at::Tensor same = contrast.terms[1];
  // Against a bank the key is no row: it joins both sums here, as a neighbour of the own class.
  if (!contrast.partner_in_terms) {
    const at::Tensor own = temperature_.logits(contrast.anchors.positive) * kOfSquaredDistance;
    all = at::logaddexp(all, own);
    same = at::logaddexp(same, own);
  }
  // In-batch an anchor may have no neighbour of its class: log 0 is no loss, so it adds 0 and the divisor does not
  // count it (LOSSES.md 7). Replaced before the difference, since -infinity would leave NaN in the gradient of what is
  // masked later.
  const at::Tensor counts = same.detach().isfinite();
  const at::Tensor zero = at::zeros_like(all);
  ObjectiveLoss result;
  result.per_anchor = at::where(counts, all, zero) - at::where(counts, same, zero);
  result.normalizer = counts.sum().to(all.scalar_type());
  return result;
}

}  // namespace negatron

#include "samplers/contrast/batch_terms.h"

#include "samplers/pass/blocked_pass.h"
#include "samplers/pass/listed_pass.h"

namespace negatron {
namespace {

/// Scores differ by 1e-7 in fp32, so weights at this scale by 1e-4.
constexpr double kSharpScale = 1e3;

at::Tensor same_label(const at::Tensor& a, const at::Tensor& b) {
  return a.eq(b).logical_and_(a.ge(0));
}

/// [M, 2] (anchor, row) on the host: the anchor itself and its partner. A candidate partner is added afterwards, so
/// that the maximum is without it.
at::Tensor excluded_pairs(const BatchViews& views) {
  const at::Tensor positions = own_positions(views);
  const at::Tensor anchor = at::arange(positions.size(0), at::kLong);
  const at::Tensor partners = at::stack({anchor, partner_positions(views, positions)}, 1);
  if (!views.both) return partners;
  return at::cat({at::stack({anchor, positions}, 1), partners});
}

PassResult partner_terms(const OwnAnchors& own, const std::vector<ScoreTerm>& terms, const BatchRules& rules) {
  ListedVectors partner;
  partner.scores = (own.vectors * own.partners).sum(1, true);
  partner.gradients = own.partners.unsqueeze(1);
  partner.present = at::ones_like(partner.scores, at::kBool);
  if (own.labels.defined()) {
    const at::Tensor same = same_label(own.labels, own.partner_labels).unsqueeze(1);
    if (rules.label_rule == LabelRule::kDifferent) partner.present = same.logical_not();
    if (rules.positive_rule == PositiveRule::kSameLabel) partner.positive = same;
  }
  return run_listed(own.vectors, partner, terms, false);
}

}  // namespace

bool is_sharp(const std::vector<ScoreTerm>& terms) {
  for (const ScoreTerm& term : terms) {
    if (term.reduction == Reduction::kSoftmaxMean && term.weight_scale > kSharpScale) return true;
  }
  return false;
}

PassResult batch_terms(const BatchViews& views, const OwnAnchors& own, const std::vector<ScoreTerm>& terms,
                       const BatchRules& rules) {
  const at::ScalarType type = is_sharp(terms) ? at::kDouble : own.vectors.scalar_type();
  OwnAnchors anchors = own;
  anchors.vectors = own.vectors.to(type);
  anchors.partners = own.partners.to(type);
  Rows rows = views.rows;
  rows.vectors = rows.vectors.to(type);

  PassRequest request;
  request.candidates.queries = anchors.vectors;
  request.candidates.labels = own.labels;
  request.candidates.exclusions = excluded_pairs(views);
  request.candidates.label_rule = rules.label_rule;
  request.candidates.positive_rule = rules.positive_rule;
  request.terms = terms;
  request.want_max = true;
  PassResult result = BlockedPass().run(rows, request);
  if (!rules.partner_is_candidate) return result;
  const at::Tensor max = result.max;
  result.max = at::Tensor();
  result = merge(terms, result, partner_terms(anchors, terms, rules));
  result.max = max;
  return result;
}

}  // namespace negatron

#include "samplers/contrast/view_gradient.h"

#include <algorithm>
#include <cstddef>

#include "comm/queued_copy.h"

namespace negatron {
namespace {

/// [n, m] bool, which anchors do not meet own views, at `positions` [n] among all views.
at::Tensor strangers(const BatchViews& views, const at::Tensor& positions, const BatchRules& rules, Range block,
                     const at::Tensor& same_label) {
  const at::Device device = views.anchors.device();
  const at::Tensor anchors = at::arange(block.begin, block.end, at::kLong).unsqueeze(0);  // [1, m]
  at::Tensor out = at::zeros({positions.size(0), block.size()}, at::kBool);
  if (views.both) out = out.logical_or(anchors == positions.unsqueeze(1));
  if (!rules.partner_is_candidate) {
    out = out.logical_or(anchors == partner_positions(views, positions).unsqueeze(1));
  }
  out = queued_copy(out, device);
  return rules.label_rule == LabelRule::kDifferent ? out.logical_or(same_label) : out;
}

bool any_sharp(const std::vector<TermShare>& term_shares) {
  return std::any_of(term_shares.begin(), term_shares.end(),
                     [](const TermShare& share) { return is_sharp({share.term}); });
}

}  // namespace

// The other half of the gradient in-batch. The pass gives each anchor its gradient with the rows held fixed; here
// each view gets what the anchors of all ranks, own ones among them, send to it as a row. For a view v and an
// anchor i that met it, s = v . anchor_i, a term of shape g adds
//   dL/dt_i  p_i(s)  g'(s)  anchor_i        with p_i = 1 for a sum, else exp(exponent - normaliser_i),
// where the exponent is g(s) for a log-sum-exp and weight_scale s for a softmax mean. Of another rank's anchor the
// vector is known, as all views were gathered; unknown are three numbers per term: dL/dt_i, the normaliser and the
// offset in g. They are gathered, [A, T, 3], and nothing else is sent. An anchor that met nothing has an infinite
// normaliser, so p is 0; pairs that did not meet (the view itself, its partner, other labels) are set to 0 at the
// end, because for them exp() may be any number.
//
// Example, c = 5, one log-sum-exp, three samples on three ranks. Query 2 met key 1 with s = 0.2 and key 3 with 0.6,
// its own key has 0.8: t = log(e^1 + e^3) = 3.12693, dL/dt = sigmoid(3.12693 - 4) / 3 = 0.09821. It sends (0.09821,
// 3.12693, 0). The rank of key 1 computes p = exp(5 * 0.2 - 3.12693) = 0.11920 and adds 0.09821 * 0.11920 * 5
// query_2 = 0.05853 query_2 to the gradient of key 1. See GRADIENT.md 3.
at::Tensor view_gradient(Communicator& comm, const BatchViews& views, const QueryShares& shares, const OwnAnchors& own,
                         const std::vector<TermShare>& term_shares, const BatchRules& rules) {
  const at::Tensor& own_views = views.both ? own.vectors : own.partners;
  const at::Tensor& own_labels = views.both ? own.labels : own.partner_labels;
  if (term_shares.empty()) return at::zeros_like(own_views);
  const at::ScalarType type = any_sharp(term_shares) ? at::kDouble : own_views.scalar_type();
  const at::Tensor numbers = gather_anchors(comm, share_numbers(term_shares, type), shares, views.both);
  const at::Tensor vectors = own_views.to(type);
  const at::Tensor positions = own_positions(views);
  at::Tensor gradient = at::zeros_like(vectors);
  const std::int64_t count = views.anchors.size(0);
  const bool by_label = rules.label_rule == LabelRule::kDifferent || rules.positive_rule == PositiveRule::kSameLabel;

  // Anchors block by block: [n, m] scores of all of them would grow with the square of the global batch.
  for (std::int64_t begin = 0; begin < count; begin += kAnchorBlock) {
    const Range block{begin, std::min(count, begin + kAnchorBlock)};
    const at::Tensor anchors = views.anchors.narrow(0, block.begin, block.size()).to(type);  // [m, d]
    const at::Tensor scores = vectors.mm(anchors.t());                                       // [n, m]
    at::Tensor same_label;
    if (by_label) {
      const at::Tensor labels = views.anchor_labels.narrow(0, block.begin, block.size()).unsqueeze(0);
      same_label = own_labels.unsqueeze(1).eq(labels).logical_and_(labels.ge(0));
    }
    const at::Tensor out = strangers(views, positions, rules, block, same_label);
    at::Tensor sum = at::zeros_like(scores);
    for (std::size_t i = 0; i < term_shares.size(); ++i) {
      const ScoreTerm& term = term_shares[i].term;
      if (!term.want_gradient) continue;
      const bool positives = term.rows == TermRows::kPositives;
      if (positives && rules.positive_rule != PositiveRule::kSameLabel) continue;
      const at::Tensor of_term =
          numbers.narrow(0, block.begin, block.size()).select(1, static_cast<std::int64_t>(i)).unsqueeze(0);
      const at::Tensor share = by_score(term, scores, of_term);  // [n, m]
      // Where a view and an anchor do not meet, the share may be any number or none.
      sum += share.masked_fill(positives ? out.logical_or(same_label.logical_not()) : out, 0.0);
    }
    gradient.addmm_(sum, anchors);
  }
  return gradient.to(own_views.scalar_type());
}

}  // namespace negatron

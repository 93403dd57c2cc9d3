#include "samplers/contrast/view_gradient.h"

#include <algorithm>
#include <limits>

namespace negatron {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
/// Of an anchor per term: dL/dterm, normaliser, offset.
constexpr std::int64_t kNumbers = 3;

/// What the summand of a row is divided by, as a logarithm; infinite over no row, so that nothing is left of it.
at::Tensor normaliser(const ScoreTerm& term, const TermResult& result) {
  if (term.reduction == Reduction::kSum) return at::zeros_like(result.value);
  const at::Tensor& log_mass = term.reduction == Reduction::kLogSumExp ? result.value : result.log_weight;
  return log_mass.masked_fill(log_mass == -kInfinity, kInfinity);
}

/// [A, T, 3]
at::Tensor anchor_numbers(const std::vector<ScoreTerm>& terms, const std::vector<TermShare>& term_shares,
                          at::ScalarType type) {
  std::vector<at::Tensor> numbers;
  for (std::size_t i = 0; i < terms.size(); ++i) {
    const at::Tensor& value = term_shares[i].result.value;
    at::Tensor offset = at::full_like(value, terms[i].offset);
    if (terms[i].query_offset.defined()) offset = offset + terms[i].query_offset.detach();
    const at::Tensor by_term = term_shares[i].by_term.defined() ? term_shares[i].by_term : at::zeros_like(value);
    for (const at::Tensor& number : {by_term, normaliser(terms[i], term_shares[i].result), offset}) {
      numbers.push_back(number.to(type));
    }
  }
  return at::stack(numbers, 1).view({-1, static_cast<std::int64_t>(terms.size()), kNumbers});
}

/// dL/ds [n, m] of scores [n, m] of own views with m anchors; numbers [m, 3].
at::Tensor by_score(const ScoreTerm& term, const at::Tensor& scores, const at::Tensor& numbers) {
  const auto column = [&](std::int64_t which) { return numbers.select(1, which).unsqueeze(0); };  // [1, m]
  const Summands summand = summands(term, scores, column(2));
  const at::Tensor slope = summand.by_score * column(0);
  if (term.reduction == Reduction::kSum) return slope;
  const at::Tensor exponent = term.reduction == Reduction::kLogSumExp ? summand.value : scores * term.weight_scale;
  return slope * (exponent - column(1)).exp();
}

/// [n, m] bool, which anchors do not meet a view.
at::Tensor strangers(const BatchViews& views, const ViewsToDerive& own, const BatchRules& rules, Range block,
                     const at::Tensor& same_label) {
  const at::Device device = views.anchors.device();
  const at::Tensor anchors = at::arange(block.begin, block.end, at::kLong).unsqueeze(0);  // [1, m]
  at::Tensor out = at::zeros({own.positions.size(0), block.size()}, at::kBool);
  if (views.both) out = out.logical_or(anchors == own.positions.unsqueeze(1));
  if (!rules.partner_is_candidate) {
    out = out.logical_or(anchors == partner_positions(views, own.positions).unsqueeze(1));
  }
  out = out.to(device);
  return rules.label_rule == LabelRule::kDifferent ? out.logical_or(same_label) : out;
}

}  // namespace

at::Tensor view_gradient(Communicator& comm, const BatchViews& views, const QueryShares& shares,
                         const ViewsToDerive& own, const std::vector<ScoreTerm>& terms,
                         const std::vector<TermShare>& term_shares, const BatchRules& rules) {
  if (terms.empty()) return at::zeros_like(own.vectors);
  const at::ScalarType type = is_sharp(terms) ? at::kDouble : own.vectors.scalar_type();
  const at::Tensor numbers = gather_anchors(comm, anchor_numbers(terms, term_shares, type), shares, views.both);
  const at::Tensor vectors = own.vectors.to(type);
  at::Tensor gradient = at::zeros_like(vectors);
  const std::int64_t count = views.anchors.size(0);
  const bool by_label = rules.label_rule == LabelRule::kDifferent || rules.positive_rule == PositiveRule::kSameLabel;

  for (std::int64_t begin = 0; begin < count; begin += kAnchorBlock) {
    const Range block{begin, std::min(count, begin + kAnchorBlock)};
    const at::Tensor anchors = views.anchors.narrow(0, block.begin, block.size()).to(type);  // [m, d]
    const at::Tensor scores = vectors.mm(anchors.t());                                       // [n, m]
    at::Tensor same_label;
    if (by_label) {
      const at::Tensor labels = views.anchor_labels.narrow(0, block.begin, block.size()).unsqueeze(0);
      same_label = own.labels.unsqueeze(1).eq(labels).logical_and_(labels.ge(0));
    }
    const at::Tensor out = strangers(views, own, rules, block, same_label);
    at::Tensor sum = at::zeros_like(scores);
    for (std::size_t i = 0; i < terms.size(); ++i) {
      if (!terms[i].want_gradient) continue;
      const bool positives = terms[i].rows == TermRows::kPositives;
      if (positives && rules.positive_rule != PositiveRule::kSameLabel) continue;
      const at::Tensor share = by_score(
          terms[i], scores, numbers.narrow(0, block.begin, block.size()).select(1, static_cast<std::int64_t>(i)));
      // Where a view and an anchor do not meet, the share may be any number or none.
      sum += share.masked_fill(positives ? out.logical_or(same_label.logical_not()) : out, 0.0);
    }
    gradient.addmm_(sum, anchors);
  }
  return gradient.to(own.vectors.scalar_type());
}

}  // namespace negatron

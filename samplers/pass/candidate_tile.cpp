#include "samplers/pass/candidate_tile.h"

#include <limits>

#include "comm/queued_copy.h"

namespace negatron {
namespace {

at::Tensor part(const at::Tensor& all, Range range) {
  return all.narrow(0, range.begin, range.size());
}

Range rows_of(const Leaf& leaf) {
  return {leaf.begin, leaf.end};
}

/// Only requests with windows or orders pay for fp64: it is made when first asked for.
const at::Tensor& in_double(at::Tensor& cached, const at::Tensor& values) {
  if (!cached.defined()) cached = values.detach().to(at::kDouble);
  return cached;
}

}  // namespace

CandidateTile::CandidateTile(const CandidateSweep& sweep, Range block) : sweep_(sweep), block_(block) {
  const std::vector<std::int64_t> excluded = sweep.exclusions_.positions(block, rows_of(sweep.leaf_));
  if (!excluded.empty()) excluded_ = queued_copy(at::tensor(excluded, at::kLong), sweep.candidates_.queries.device());
}

void CandidateTile::hide(const at::Tensor& scores) const {
  if (!sweep_.only_validity_and_exclusions()) {
    scores.masked_fill_(barred(), kMasked);
    return;
  }
  // Many times faster than a mask of the whole tile, and what most requests come to.
  const Leaf& leaf = sweep_.leaf_;
  // Validity is 0 or -infinity and [n]: added, it masks a column for all queries at once. A finite score stays what it
  // is. A leaf without holes is left alone.
  if (leaf.valid < leaf.size()) scores.add_(part(sweep_.rows_.validity, rows_of(leaf)));
  if (excluded_.defined()) scores.view(-1).index_fill_(0, excluded_, kMasked);
}

// Every rule adds what it bars to one mask [b, n]; rules do not look at each other, so their order does not matter.
const at::Tensor& CandidateTile::barred() const {
  if (barred_.defined()) return barred_;
  const Candidates& candidates = sweep_.candidates_;
  barred_ = none_barred();
  if (sweep_.rows_.validity.defined()) {
    barred_.logical_or_((part(sweep_.rows_.validity, rows_of(sweep_.leaf_)) != 0.0).unsqueeze(0));
  }
  if (excluded_.defined()) barred_.view(-1).index_fill_(0, excluded_, 1);
  if (candidates.label_rule == LabelRule::kDifferent) barred_.logical_or_(same_label());
  if (!candidates.windows.empty()) barred_.logical_or_(outside(candidates.windows));
  return barred_;
}

const at::Tensor& CandidateTile::no_positive() const {
  if (no_positive_.defined()) return no_positive_;
  switch (sweep_.candidates_.positive_rule) {
    case PositiveRule::kNone:
      no_positive_ = at::ones_like(barred());
      break;
    case PositiveRule::kSameLabel:
      no_positive_ = same_label().logical_not_().logical_or_(barred());
      break;
    case PositiveRule::kWindow:
      no_positive_ = outside(sweep_.candidates_.positive_windows).logical_or_(barred());
      break;
  }
  return no_positive_;
}

at::Tensor CandidateTile::count() const {
  if (!sweep_.only_validity_and_exclusions()) return barred().logical_not().sum(1);
  const Leaf& leaf = sweep_.leaf_;
  // Each exclusion is of a valid row and comes once (Candidates::exclusions), so it takes exactly one from its query's
  // count.
  at::Tensor count = at::full({block_.size()}, leaf.valid, sweep_.candidates_.queries.options().dtype(at::kLong));
  if (excluded_.defined()) {
    const at::Tensor query = at::floor_divide(excluded_, leaf.size());
    count.index_add_(0, query, at::ones_like(query), -1);
  }
  return count;
}

const at::Tensor& CandidateTile::exact_scores() const {
  if (!exact_scores_.defined()) {
    const at::Tensor& queries = in_double(sweep_.exact_queries_, sweep_.candidates_.queries);
    exact_scores_ = part(queries, block_).mm(sweep_.exact_rows().t());
  }
  return exact_scores_;
}

at::Tensor CandidateTile::candidate_keys(const SelectionOrder& order) const {
  return keys(order).masked_fill(barred(), kAfterAllKeys);
}

at::Tensor CandidateTile::keys(const SelectionOrder& order) const {
  // Windows of one order, its count of ranks and its draw ask for the same keys; there are a few orders at most.
  for (const auto& [known, keys] : keys_) {
    if (known == order) return keys;
  }
  const at::Tensor slots = part(sweep_.rows_.slots, rows_of(sweep_.leaf_));
  keys_.emplace_back(order, selection_keys(order_scores(order), slots.unsqueeze(0)));
  return keys_.back().second;
}

at::Tensor CandidateTile::order_scores(const SelectionOrder& order) const {
  const auto uniforms = [&] {
    return slot_uniforms(order, part(sweep_.candidates_.query_index, block_),
                         part(sweep_.rows_.slots, rows_of(sweep_.leaf_)));
  };
  switch (order.by) {
    case SelectionOrder::By::kPositiveScore:
      // The key takes the place of the query, t = k . n of negative_samplers/SAMPLERS.md. [b, n]
      return part(in_double(sweep_.exact_keys_, sweep_.candidates_.keys), block_).mm(sweep_.exact_rows().t());
    case SelectionOrder::By::kRandom:
      // Orders put the largest score first, and a random order the smallest number.
      return uniforms().neg_();
    case SelectionOrder::By::kGumbel:
      // g + scale * s, see FORMULAS.md 7.
      return gumbels_of(uniforms()).add_(exact_scores(), order.scale);
    default:
      if (!sweep_.rows_.order_factors.defined()) return exact_scores();
      return exact_scores() * part(sweep_.rows_.order_factors, rows_of(sweep_.leaf_)).unsqueeze(0);
  }
}

at::Tensor CandidateTile::outside(const std::vector<SelectionWindow>& windows) const {
  // A row is inside if it is inside all windows. A last key of kAfterAllKeys cuts nothing off, and first = last lets no
  // row through.
  at::Tensor outside = none_barred();
  for (const SelectionWindow& window : windows) {
    const at::Tensor keys = this->keys(window.order);
    outside.logical_or_(keys < part(window.first, block_).unsqueeze(1));
    outside.logical_or_(keys >= part(window.last, block_).unsqueeze(1));
  }
  return outside;
}

at::Tensor CandidateTile::same_label() const {
  const at::Tensor of_queries = part(sweep_.candidates_.labels, block_).unsqueeze(1);
  // One side is enough: where both are equal and the query's label is known, the row's is.
  return (of_queries == part(sweep_.rows_.labels, rows_of(sweep_.leaf_)).unsqueeze(0)).logical_and_(of_queries >= 0);
}

at::Tensor CandidateTile::none_barred() const {
  return at::zeros({block_.size(), sweep_.leaf_.size()}, sweep_.candidates_.queries.options().dtype(at::kBool));
}

CandidateSweep::CandidateSweep(const Rows& rows, const Candidates& candidates)
    : rows_(rows),
      candidates_(candidates),
      exclusions_(candidates.exclusions, candidates.queries.size(0), rows.vectors.size(0)) {}

bool CandidateSweep::has_windows() const {
  return !candidates_.windows.empty() || candidates_.positive_rule == PositiveRule::kWindow;
}

void CandidateSweep::enter(const Leaf& leaf) {
  leaf_ = leaf;
  exact_rows_.reset();
}

bool CandidateSweep::only_validity_and_exclusions() const {
  return candidates_.windows.empty() && candidates_.label_rule == LabelRule::kAny;
}

const at::Tensor& CandidateSweep::exact_rows() const {
  return in_double(exact_rows_, part(rows_.vectors, rows_of(leaf_)));
}

}  // namespace negatron

#include "samplers/exchange/ranking/slot_lists.h"

#include "samplers/exchange/query_blocks.h"
#include "samplers/pass/candidate_keys.h"
#include "samplers/pass/listed_pass.h"

namespace negatron {
namespace {

/// values [n] of the listed rows; anything where none is listed.
at::Tensor of_rows(const at::Tensor& values, const at::Tensor& lists) {
  return values.index_select(0, lists.clamp_min(0).flatten()).view_as(lists);
}

/// [Q, L] bool: rows with the query's label, [Q] each known.
at::Tensor same_label(const Rows& rows, const at::Tensor& labels, const at::Tensor& lists) {
  const at::Tensor own = labels.unsqueeze(1);
  return (of_rows(rows.labels, lists) == own).logical_and_(own >= 0);
}

/// [block, L] bool: which listed rows are further positives by their keys, computed as a pass computes them.
at::Tensor inside_positive_windows(const Rows& rows, const Candidates& candidates, Range block,
                                   const at::Tensor& lists) {
  const at::Tensor vectors = gather_rows(rows, lists, at::kDouble);  // [block, L, d]
  const at::Tensor slots = of_rows(rows.slots, lists);
  at::Tensor in_all = at::ones_like(lists, lists.options().dtype(at::kBool));
  for (const SelectionWindow& window : candidates.positive_windows) {
    const bool by_positive = window.order.by == SelectionOrder::By::kPositiveScore;
    const at::Tensor& against = by_positive ? candidates.keys : candidates.queries;
    const at::Tensor own = against.narrow(0, block.begin, block.size()).to(at::kDouble);
    const at::Tensor exact = vectors.bmm(own.unsqueeze(2)).squeeze(2);
    const at::Tensor keys = selection_keys(exact, slots);
    const auto end = [&](const at::Tensor& ends) { return ends.narrow(0, block.begin, block.size()).unsqueeze(1); };
    in_all.logical_and_(keys >= end(window.first)).logical_and_(keys < end(window.last));
  }
  return in_all;
}

}  // namespace

at::Tensor candidates_at(const Bank& bank, const Rows& rows, const Candidates& candidates, const at::Tensor& slots) {
  const BankPlaces places = bank.layout().places_of(slots);
  at::Tensor lists = places.rows.masked_fill(places.ranks != bank.rank(), -1);  // [Q, m]
  const std::int64_t count = rows.vectors.size(0);
  if (count == 0) return lists;
  const auto drop = [&](const at::Tensor& barred) { lists = lists.masked_fill(barred, -1); };
  if (rows.validity.defined()) drop(of_rows(rows.validity, lists) != 0.0);
  if (candidates.label_rule == LabelRule::kDifferent) drop(same_label(rows, candidates.labels, lists));
  if (candidates.exclusions.defined() && candidates.exclusions.size(0) > 0) {
    const at::Tensor query = at::arange(lists.size(0), lists.options()).unsqueeze(1);
    const at::Tensor excluded = candidates.exclusions.select(1, 0) * count + candidates.exclusions.select(1, 1);
    drop(at::isin(query * count + lists, excluded.to(lists.device())).logical_and_(lists >= 0));
  }
  return lists;
}

at::Tensor listed_candidates(const Bank& bank, const Rows& rows, const Candidates& candidates,
                             const at::Tensor& slots) {
  const at::Tensor lists = candidates_at(bank, rows, candidates, slots);
  // Each slot lies on one shard, so a list is mostly -1 here. Sorted, these go to the end, where the longest list cuts
  // them off.
  const at::Tensor longest = (lists >= 0).sum(1);
  const std::int64_t length = longest.numel() == 0 ? 0 : longest.max().item<std::int64_t>();
  return std::get<0>(lists.sort(1, /*descending=*/true)).narrow(1, 0, length).contiguous();
}

PassResult run_over_lists(const Rows& rows, const PassRequest& request, const at::Tensor& lists) {
  const Candidates& candidates = request.candidates;
  const at::Tensor& queries = candidates.queries;
  const auto entries = [&](Range block) {
    const at::Tensor listed = lists.narrow(0, block.begin, block.size());
    ListedVectors vectors;
    vectors.gradients = gather_rows(rows, listed, queries.scalar_type());  // [block, L, d]
    vectors.scores = vectors.gradients.bmm(queries.narrow(0, block.begin, block.size()).unsqueeze(2)).squeeze(2);
    vectors.present = listed >= 0;
    if (request.bias.defined()) vectors.bias = of_rows(request.bias, listed);
    if (candidates.positive_rule == PositiveRule::kSameLabel) {
      vectors.positive = same_label(rows, candidates.labels.narrow(0, block.begin, block.size()), listed);
    } else if (candidates.positive_rule == PositiveRule::kWindow) {
      vectors.positive = inside_positive_windows(rows, candidates, block, listed);
    }
    return vectors;
  };
  return run_listed_in_blocks(queries, request.terms, lists.size(1), entries);
}

}  // namespace negatron

#include "samplers/exchange/ranking/list_choice.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "samplers/exchange/ranking/slot_lists.h"
#include "samplers/pass/pair_scores.h"
#include "samplers/pass/selection/selection_key.h"

namespace negatron {
namespace {

using By = SelectionOrder::By;
using Counts = std::vector<std::int64_t>;

constexpr float kNoCandidate = std::numeric_limits<float>::quiet_NaN();

bool decides(const NegativeSet& set, By by) {
  return (set.has_rank_window() && set.order.by == by) ||
         (set.draws > 0 && !set.draws_as_listed && set.draw_order.by == by);
}

/// Scores of what own queries name, from the shards on which it lies: of each place by q and by k+, kNoCandidate where
/// there is no candidate.
class ListedScores {
 public:
  /// Collective over the group.
  ListedScores(Communicator& group, const Bank& bank, const ShardCandidates& shard, const NegativeSet& set,
               const at::Tensor& slots)
      : by_query_(set.has_bounds() || decides(set, By::kScore) || decides(set, By::kGumbel)),
        by_positive_(decides(set, By::kPositiveScore)) {
    const BankPlaces places = bank.layout().places_of(slots);
    const at::Tensor rows = candidates_at(bank, shard.rows, shard.candidates, slots);
    // In the order of queries, and so in that of their owners.
    const at::Tensor mine = (places.ranks == bank.rank()).nonzero();  // [n, 2]
    const at::Tensor query = mine.select(1, 0);
    const at::Tensor row = rows.index({query, mine.select(1, 1)});
    const at::Tensor sent = scores(shard, row, query);

    const std::int64_t begin = shard.shares.begin(group.rank()) - shard.shares.first;
    const at::Tensor owners = places.ranks.narrow(0, begin, shard.shares.size(group.rank()));  // [b, m]
    const at::Tensor received =
        group.all_to_all(sent, counts_of_owners(query, shard.shares), counts_of_shards(owners, group));
    // Places by shard, and of one shard in the order in which it sent them; first those without a shard.
    const at::Tensor by_shard = std::get<1>(owners.flatten().sort(/*stable=*/true, 0, false));
    const at::Tensor arrived = by_shard.narrow(0, by_shard.size(0) - received.size(0), received.size(0));
    const at::Tensor all = at::full({owners.numel(), sent.size(1)}, kNoCandidate, received.options());
    all_ = all.index_copy(0, arrived, received).view({owners.size(0), owners.size(1), sent.size(1)});
  }

  /// [b, m] fp32.
  at::Tensor by_query() const { return all_.select(2, 0); }
  at::Tensor by_positive() const { return all_.select(2, all_.size(2) - 1); }

 private:
  /// [n, c], c at least 1: that there is no candidate must be told even where no score decides.
  at::Tensor scores(const ShardCandidates& shard, const at::Tensor& row, const at::Tensor& query) const {
    const at::Tensor none = row < 0;
    const auto against = [&](const at::Tensor& vectors) {
      if (shard.rows.vectors.size(0) == 0) return at::empty({0}, vectors.options().dtype(at::kFloat));
      return pair_scores(shard.rows.vectors, row.clamp_min(0), vectors, query).masked_fill_(none, kNoCandidate);
    };
    std::vector<at::Tensor> columns;
    if (by_query_) columns.push_back(against(shard.candidates.queries));
    if (by_positive_) columns.push_back(against(shard.candidates.keys));
    if (columns.empty()) {
      columns.push_back(at::zeros({row.size(0)}, shard.candidates.queries.options().dtype(at::kFloat))
                            .masked_fill_(none, kNoCandidate));
    }
    return at::stack(columns, 1);
  }

  static Counts counts_of_owners(const at::Tensor& query, const QueryShares& shares) {
    const at::Tensor counts = at::bincount(query, {}, shares.total()).to(at::kCPU);
    Counts sums;
    for (const at::Tensor& block : counts.split_with_sizes(shares.sizes, 0)) {
      sums.push_back(block.sum().item<std::int64_t>());
    }
    return sums;
  }

  static Counts counts_of_shards(const at::Tensor& owners, const Communicator& group) {
    const at::Tensor counts = at::bincount((owners.flatten() + 1), {}, group.size() + 1).to(at::kCPU);
    const auto* count = counts.const_data_ptr<std::int64_t>();
    return {count + 1, count + 1 + group.size()};
  }

  bool by_query_;
  bool by_positive_;
  at::Tensor all_;
};

/// [lists, l] places by rank: 0 for the least key of a list, and of equal keys for the one that is named first.
at::Tensor ranks_of(const at::Tensor& keys) {
  const at::Tensor order = std::get<1>(keys.sort(/*stable=*/true, 1, false));
  return at::empty_like(order).scatter_(1, order,
                                        at::arange(keys.size(1), order.options()).expand_as(order).contiguous());
}

}  // namespace

// Words. A *list* is a part of what a query names, its *places* are the positions in it; what is *left* are the places
// that a rule has not taken away so far.
//
// Example. DNS with 2 negatives of 3 trials each: six slots are drawn for a query, 9 4 7 | 4 2 8. Slots 9 and 2 lie on
// shard 0 and their scores .1 and .6 come from there, 4, 7, 4, 8 with .3 .5 .3 .2 from shard 1. The owner draws one of
// each list by score: slots 7 and 2. All ranks then hear of them and score as if the query had named 7 and 2.
ListChoice choose_of_lists(Communicator& group, const Bank& bank, const ShardCandidates& shard, const NegativeSet& set,
                           const at::Tensor& slots) {
  const ListedScores scores(group, bank, shard, set, slots);
  const std::int64_t begin = shard.shares.begin(group.rank()) - shard.shares.first;
  const std::int64_t size = shard.shares.size(group.rank());
  const std::int64_t length = slots.size(1) / set.lists;
  const auto in_lists = [&](const at::Tensor& values) { return values.reshape({size * set.lists, length}); };
  const at::Tensor own = in_lists(slots.narrow(0, begin, size));
  const at::Tensor by_query = in_lists(scores.by_query());
  const at::Tensor index = shard.candidates.query_index.narrow(0, begin, size);
  at::Tensor left = by_query.isnan().logical_not_();

  const auto values = [&](const SelectionOrder& order) -> at::Tensor {
    if (order.by == By::kScore) return by_query;
    if (order.by == By::kPositiveScore) return in_lists(scores.by_positive());
    const at::Tensor uniform = in_lists(slot_uniforms(order, index, at::arange(slots.size(1), slots.options())));
    return order.by == By::kRandom ? -uniform : gumbels_of(uniform).add_(by_query, order.scale);
  };
  // What is not left comes last: no rank or draw counts it.
  const auto rank_in = [&](const at::Tensor& ordered) {
    return ranks_of(selection_keys(ordered, own).masked_fill(left.logical_not(), kAfterAllKeys));
  };
  const auto bound = [&](const at::Tensor& of_queries) {
    return of_queries.detach().to(by_query.options()).repeat_interleave(set.lists).unsqueeze(1);
  };
  if (set.lower_score.defined()) left = left.logical_and(by_query > bound(set.lower_score));
  if (set.upper_score.defined()) {
    const at::Tensor within = left.logical_and(by_query < bound(set.upper_score));
    left = set.upper_if_any ? at::where(within.any(1, true), within, left) : within;
  }
  if (set.has_rank_window()) {
    const at::Tensor ordered = values(set.order);
    const at::Tensor rank = rank_in(ordered);
    const at::Tensor skipped = (rank < set.first_rank).logical_and_(ordered > set.skip_only_above);
    left = left.logical_and(skipped.logical_not_()).logical_and_(rank < set.last_rank);
  }
  const at::Tensor place = at::arange(length, slots.options()).expand({size * set.lists, length});
  at::Tensor chosen = own.masked_fill(left.logical_not(), -1);
  if (set.draws > 0) {
    const at::Tensor rank = set.draws_as_listed ? ranks_of(place.masked_fill(left.logical_not(), kAfterAllKeys))
                                                : rank_in(values(set.draw_order));
    left = left.logical_and(rank < set.draws);
    // [lists, draws], as drawn.
    const std::int64_t drawn = std::min(set.draws, length);
    const at::Tensor first = std::get<1>(rank.sort(1)).narrow(1, 0, drawn);
    chosen = own.masked_fill(left.logical_not(), -1).gather(1, first);
  }

  ListChoice choice;
  choice.tried = at::where(left, place, place.new_full({}, length - 1)).amin(1).add_(1).view({size, set.lists});
  choice.slots = chosen.reshape({size, set.lists * chosen.size(1)}).contiguous();
  return choice;
}

}  // namespace negatron

#include "samplers/exchange/ranking/hard_set.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "samplers/exchange/ranking/merge_lists.h"
#include "samplers/exchange/ranking/padded_keys.h"
#include "samplers/pass/candidates.h"

namespace negatron {
namespace {

using Counts = std::vector<std::int64_t>;

/// What this shard's lists [Q, m] lack of its N best, as far as it lies before what owners know as their N-th best,
/// `bound` [Q]. best_of(index) yields the N best of some queries.
RaggedKeys rest_of_lists(const at::Tensor& lists, const at::Tensor& bound, std::int64_t n,
                         const std::function<at::Tensor(const at::Tensor&)>& best_of) {
  const std::int64_t sent = lists.size(1);
  const at::Tensor short_lists = (lists.select(1, sent - 1) < bound).nonzero().squeeze(1);
  RaggedKeys rest{at::empty({0}, lists.options()), at::zeros({lists.size(0)}, lists.options())};
  if (short_lists.size(0) == 0) return rest;
  const at::Tensor best = best_of(short_lists).narrow(1, sent, n - sent);
  const at::Tensor missing = best < bound.index_select(0, short_lists).unsqueeze(1);
  rest.keys = best.masked_select(missing);
  rest.counts.index_copy_(0, short_lists, missing.sum(1));
  return rest;
}

Counts sums_of_blocks(const at::Tensor& counts, const Counts& sizes) {
  Counts sums;
  for (const at::Tensor& block : counts.to(at::kCPU).split_with_sizes(sizes, 0)) {
    sums.push_back(block.sum().item<std::int64_t>());
  }
  return sums;
}

std::int64_t largest(const at::Tensor& counts) {
  return counts.numel() == 0 ? 0 : counts.max().item<std::int64_t>();
}

/// What the shards' lists lacked: each shard's `rest` for all queries -> [b, any] keys for own queries.
at::Tensor exchange_rest(Communicator& comm, const RaggedKeys& rest, const QueryShares& shares) {
  const Counts own(shares.sizes.size(), shares.size(comm.rank()));
  const at::Tensor counts = comm.all_to_all(rest.counts, shares.sizes, own);  // [P b]
  const RaggedKeys received{
      comm.all_to_all(rest.keys, sums_of_blocks(rest.counts, shares.sizes), sums_of_blocks(counts, own)), counts};
  const std::int64_t width = largest(counts);
  const at::Tensor blocks = padded_keys(received, width).view({comm.size(), own.front(), width});
  return blocks.transpose(0, 1).flatten(1);
}

}  // namespace

std::int64_t HardSetSearch::list_length(std::int64_t n, int ranks, double rate) {
  if (ranks == 1) return n;
  const double mean = static_cast<double>(n) / ranks;
  const double log_odds = std::log(ranks / rate);
  const double length = mean + log_odds / 3.0 + std::sqrt(log_odds * log_odds / 9.0 + 2.0 * log_odds * mean);
  return std::min(n, static_cast<std::int64_t>(std::ceil(length)));
}

std::int64_t HardSetSearch::next_list_length(std::int64_t n, int ranks) const {
  const auto base = static_cast<double>(list_length(n, ranks, kFallbackRate));
  return std::min(n, static_cast<std::int64_t>(std::ceil(stretch_ * base)));
}

HardSets HardSetSearch::find(Communicator& comm, const Rows& rows, const Candidates& candidates,
                             const SelectionOrder& order, const QueryShares& shares, std::int64_t n,
                             const at::Tensor& shard_best) {
  const std::int64_t own = shares.size(comm.rank());
  const std::int64_t length = shard_best.defined() ? shard_best.size(1) : next_list_length(n, comm.size());
  HardSets sets;
  sets.shard_keys = shard_best.defined() ? shard_best : pass_.best(rows, candidates, order, length);  // [Q, m]
  const at::Tensor lists =
      comm.all_to_all(sets.shard_keys, shares.sizes, Counts(shares.sizes.size(), own)).view({comm.size(), own, length});
  sets.keys = merge_lists(lists);  // [b, P m]

  std::int64_t fallbacks = 0;
  if (length < n) {
    // Where the lists hold fewer than N keys together, every list that is full may go on.
    const at::Tensor bound = sets.keys.size(1) < n ? at::full({own}, kAfterAllKeys, sets.keys.options())
                                                   : sets.keys.select(1, n - 1).contiguous();
    const at::Tensor short_lists = (lists.select(2, length - 1) < bound.unsqueeze(0)).any(0);  // [b]
    at::Tensor votes = short_lists.sum().to(at::kLong).view({1});
    comm.all_reduce(votes, ReduceOp::kSum);
    fallbacks = votes.item<std::int64_t>();
    if (fallbacks > 0) {
      const at::Tensor bounds = comm.all_gather(bound, shares.sizes);  // [Q]
      const RaggedKeys rest = rest_of_lists(sets.shard_keys, bounds, n, [&](const at::Tensor& queries) {
        return pass_.best(rows, select_queries(candidates, queries), order, n);
      });
      sets.keys = std::get<0>(at::cat({sets.keys, exchange_rest(comm, rest, shares)}, 1).sort(1));
      sets.shard_keys = at::cat({sets.shard_keys, padded_keys(rest, largest(rest.counts))}, 1);
    }
  }
  if (sets.keys.size(1) < n) {
    const at::Tensor none = at::full({own, n - sets.keys.size(1)}, kAfterAllKeys, sets.keys.options());
    sets.keys = at::cat({sets.keys, none}, 1);
  }
  sets.keys = sets.keys.narrow(1, 0, n).contiguous();
  sets.count = (sets.keys != kAfterAllKeys).sum(1);
  adapt(fallbacks, shares.total(), n, comm.size());
  return sets;
}

void HardSetSearch::adapt(std::int64_t fallbacks, std::int64_t queries, std::int64_t n, int ranks) {
  ++searches_;
  last_fallback_rate_ = queries == 0 ? 0.0 : static_cast<double>(fallbacks) / static_cast<double>(queries);
  if (last_fallback_rate_ > kTooOften * kFallbackRate) {
    const auto base = static_cast<double>(list_length(n, ranks, kFallbackRate));
    stretch_ = std::min(stretch_ * kGrowth, static_cast<double>(n) / base);
  } else if (fallbacks == 0) {
    stretch_ = std::max(1.0, stretch_ / kShrink);
  }
}

}  // namespace negatron

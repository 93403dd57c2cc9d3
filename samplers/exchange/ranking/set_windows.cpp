#include "samplers/exchange/ranking/set_windows.h"

#include <algorithm>
#include <iterator>

#include "samplers/exchange/ranking/order_statistics.h"

namespace negatron {
namespace {

/// What a round of radix select receives for a query and rank from or for each other rank, and how many rounds there
/// are when scores decide.
constexpr std::int64_t kRoundBytes = 2 * 256 * 4;
constexpr std::int64_t kUsualRounds = 4;
constexpr std::int64_t kKeyBytes = 8;

}  // namespace

std::vector<SelectionWindow> WindowSearch::of_set(const NegativeSet& set, const at::Tensor& lower,
                                                  const at::Tensor& upper) {
  std::vector<SelectionWindow> windows;
  const at::TensorOptions whole = shard_.candidates.queries.options().dtype(at::kLong);
  const at::Tensor from_first = at::full({shard_.candidates.queries.size(0)}, kBeforeAllKeys, whole);
  const at::Tensor to_last = at::full_like(from_first, kAfterAllKeys);
  if (lower.defined() || upper.defined()) {
    windows.push_back({SelectionOrder{}, upper.defined() ? first_key_below(upper) : from_first,
                       lower.defined() ? first_key_at(lower) : to_last});
    if (set.upper_if_any && upper.defined()) {
      // Behind the best row within the bounds there is another key; without any row there is none.
      const at::Tensor behind_best = keys_behind({1}, SelectionOrder{}, windows).front();
      SelectionWindow& bounds = windows.back();
      bounds.first = at::where(behind_best == kAfterAllKeys, from_first, bounds.first);
    }
  }
  // Ranks count among what the score window let through, and a draw among what both let through.
  if (set.has_rank_window()) {
    const std::vector<at::Tensor> ends = keys_behind({set.first_rank, set.last_rank}, set.order, windows);
    const at::Tensor skip_from = first_key_at(at::full_like(from_first, set.skip_only_above, at::kFloat));
    windows.push_back({set.order, at::minimum(ends[0], skip_from), ends[1]});
  }
  if (set.draws > 0) {
    const std::vector<at::Tensor> ends = keys_behind({set.draws}, set.draw_order, windows);
    windows.push_back({set.draw_order, from_first, ends[0]});
  }
  return windows;
}

std::vector<SelectionWindow> WindowSearch::of_positives(const NegativeSet& set) {
  const at::Tensor end = keys_behind({set.last_rank}, set.order, {}).front();
  const at::Tensor skip_from = first_key_at(at::full_like(end, set.skip_only_above, at::kFloat));
  return {{set.order, at::full_like(end, kBeforeAllKeys), at::minimum(end, skip_from)}};
}

std::vector<at::Tensor> WindowSearch::keys_behind(const std::vector<std::int64_t>& ranks, const SelectionOrder& order,
                                                  const std::vector<SelectionWindow>& windows) {
  // At either end no key needs to be looked for: nothing lies before rank 0, and everything before rank `filled`.
  const auto certain = [this](std::int64_t rank) { return rank <= 0 || rank >= filled_; };
  std::vector<std::int64_t> wanted;
  std::copy_if(ranks.begin(), ranks.end(), std::back_inserter(wanted),
               [&](std::int64_t rank) { return !certain(rank); });
  const at::Tensor found = wanted.empty() ? at::Tensor() : separators(wanted, order, windows);  // [Q, T]

  const at::TensorOptions whole = shard_.candidates.queries.options().dtype(at::kLong);
  std::vector<at::Tensor> keys;
  std::int64_t column = 0;
  for (const std::int64_t rank : ranks) {
    keys.push_back(
        certain(rank) ? at::full({shard_.candidates.queries.size(0)}, rank <= 0 ? kBeforeAllKeys : kAfterAllKeys, whole)
                      : found.select(1, column++).contiguous());
  }
  return keys;
}

at::Tensor WindowSearch::separators(const std::vector<std::int64_t>& ranks, const SelectionOrder& order,
                                    const std::vector<SelectionWindow>& windows) {
  ShardCandidates inside = shard_;
  std::vector<SelectionWindow>& bounds = inside.candidates.windows;
  bounds.insert(bounds.end(), windows.begin(), windows.end());
  // Both ways give the same keys; the cheaper one by the bytes that a rank receives. Lists grow with the last rank,
  // radix select only with the number of ranks asked for.
  const std::int64_t last = *std::max_element(ranks.begin(), ranks.end());
  const auto count = static_cast<std::int64_t>(ranks.size());
  if (hard_sets_.next_list_length(last, comm_.size()) * kKeyBytes > kUsualRounds * kRoundBytes * count) {
    return keys_at_ranks(comm_, inside.rows, inside.candidates, order, ranks);
  }
  const HardSets sets = hard_sets_.find(comm_, inside, order, last);
  std::vector<std::int64_t> columns;
  for (const std::int64_t rank : ranks) columns.push_back(rank - 1);
  const at::Tensor best = sets.keys.index_select(1, at::tensor(columns, at::kLong).to(sets.keys.device()));  // [b, T]
  // Behind the last of the best; there is nothing behind kAfterAllKeys.
  return comm_.all_gather(best.clamp_max(kAfterAllKeys - 1).add_(1), shard_.shares.sizes);
}

}  // namespace negatron

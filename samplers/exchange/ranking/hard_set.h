#pragma once

#include <cstdint>

#include "comm/communicator.h"
#include "samplers/exchange/shard_candidates.h"
#include "samplers/pass/pass.h"

namespace negatron {

/// The N best candidates of own queries over the whole bank.
struct HardSets {
  at::Tensor keys;   // [b, N] int64 ascending, kAfterAllKeys where the bank has fewer candidates
  at::Tensor count;  // [b] int64, N or all that there are
  /// [Q, L] int64 in no order, kAfterAllKeys for none: keys of this shard's candidates, all those among the N best of
  /// each of all ranks' queries and some more. What it told the owners.
  at::Tensor shard_keys;
};

/// Exact global top-N with short lists (samplers/exchange/EXCHANGE.md 2): each shard sends every owner its best m < N,
/// the owner merges, and the result is certified when no shard's list lies wholly above the N-th best. What is not
/// certified is completed in one further round. m follows the fallbacks that were seen; it is equal on all ranks.
///
/// Bytes received per rank: (P - 1) b m 8 for lists; when m < N, an all_reduce of one number of 8 bytes, the vote on a
/// further round; in a further round also (Q - b) 8 for the N-th best that owners know of, (P - 1) b 8 for counts, and
/// 8 for each key that was missing.
class HardSetSearch {
 public:
  /// Share of queries that may need the further round: balances the bytes of lists against those of fallbacks.
  static constexpr double kFallbackRate = 1e-2;
  /// The rule of m = stretch() * list_length(n, P, kFallbackRate). After a search in which more than kTooOften times
  /// that share of all ranks' queries needed the further round, stretch() grows by kGrowth, up to m = N; after one
  /// without any it shrinks by kShrink, down to 1. The share is all-reduced, so the rule is the same everywhere.
  static constexpr double kTooOften = 4.0;
  static constexpr double kGrowth = 1.25;
  static constexpr double kShrink = 1.02;

  /// `pass` finds the shard's best keys; referred to.
  explicit HardSetSearch(const Pass& pass) : pass_(pass) {}

  /// Collective. `shard_best` [Q, m]: the shard's best keys where the caller knows them, of an m that is equal on all
  /// ranks and at most n; else undefined, and m is next_list_length(n, P).
  HardSets find(Communicator& comm, const ShardCandidates& shard, const SelectionOrder& order, std::int64_t n,
                const at::Tensor& shard_best = {});

  /// m for N on P shards: mu + L/3 + sqrt(L^2/9 + 2 L mu), mu = N/P, L = ln(P / rate), rounded up, at most N.
  static std::int64_t list_length(std::int64_t n, int ranks, double rate);
  /// m of the next search.
  std::int64_t next_list_length(std::int64_t n, int ranks) const;

  /// Share of queries that needed the further round, over all ranks, in the last search.
  double last_fallback_rate() const noexcept { return last_fallback_rate_; }
  std::int64_t searches() const noexcept { return searches_; }
  /// By how much m is longer than list_length() says, because rows are not spread over shards at random. State of the
  /// run: to be saved and restored.
  double stretch() const noexcept { return stretch_; }
  void restore_stretch(double stretch) { stretch_ = stretch; }

 private:
  void adapt(std::int64_t fallbacks, std::int64_t queries, std::int64_t n, int ranks);

  const Pass& pass_;
  double stretch_ = 1.0;
  double last_fallback_rate_ = 0.0;
  std::int64_t searches_ = 0;
};

}  // namespace negatron

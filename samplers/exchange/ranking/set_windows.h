#pragma once

#include <cstdint>
#include <vector>

#include "comm/communicator.h"
#include "samplers/exchange/negative_request.h"
#include "samplers/exchange/ranking/hard_set.h"
#include "samplers/exchange/shard_candidates.h"

namespace negatron {

/// Turns a NegativeSet into the selection windows that every shard applies for itself: after this exchange of a few
/// keys per query no shard needs to know anything of the others.
class WindowSearch {
 public:
  /// All are referred to. `filled` rows of the bank may score, over all shards.
  WindowSearch(Communicator& comm, HardSetSearch& hard_sets, const ShardCandidates& shard, std::int64_t filled)
      : comm_(comm), hard_sets_(hard_sets), shard_(shard), filled_(filled) {}

  /// Collective when the set has an upper bound that may not hold, a rank window or a draw, else local. lower, upper
  /// [Q] or undefined. Bytes received per rank: for each of the three, those of keys_behind below.
  std::vector<SelectionWindow> of_set(const NegativeSet& set, const at::Tensor& lower, const at::Tensor& upper);
  /// As NegativeRequest::positive_rule kWindow takes the set: the ranks [0, last_rank) with scores above
  /// skip_only_above. Collective or local likewise.
  std::vector<SelectionWindow> of_positives(const NegativeSet& set);

 private:
  /// The keys that separate the best `rank` rows of the order, among the candidates inside `windows`, from the others:
  /// [Q] for each of the ranks. Collective when a rank lies in (0, filled), else local.
  ///
  /// T such ranks, the last of them N: by HardSetSearch and an all-gather of (Q - b) T 8 bytes when its lists are no
  /// longer than what four rounds of radix select receive (8 m <= 4 * 2048 T), else by keys_at_ranks.
  std::vector<at::Tensor> keys_behind(const std::vector<std::int64_t>& ranks, const SelectionOrder& order,
                                      const std::vector<SelectionWindow>& windows);
  /// [Q, T] on every rank.
  at::Tensor separators(const std::vector<std::int64_t>& ranks, const SelectionOrder& order,
                        const std::vector<SelectionWindow>& windows);

  Communicator& comm_;
  HardSetSearch& hard_sets_;
  const ShardCandidates& shard_;
  std::int64_t filled_;
};

}  // namespace negatron

#pragma once

#include <ATen/ATen.h>

#include "comm/communicator.h"
#include "samplers/bank/bank.h"
#include "samplers/exchange/negative_request.h"
#include "samplers/exchange/shard_candidates.h"

namespace negatron {

/// What the windows and the draw of a set leave of the rows that it names.
struct ListChoice {
  /// [b, n] int64, of own queries, -1 for none: `draws` of each list, all that was named without a draw.
  at::Tensor slots;
  /// [b, lists] int64, of own queries: how many rows were named up to and with the first of a list that was chosen; all
  /// of the list where none was.
  at::Tensor tried;
};

/// Chooses in each list of `set` as the set would in the whole bank (EXCHANGE.md 5.1). slots [Q, m] int64 are what the
/// set names, below 0 for none, and `shard` says which rows may score at all. Collective over the group. Bytes received
/// per rank, c being 2 where both q and k+ decide, else 1: 4 c for each row that own queries name on other shards, at
/// most b m 4 c.
ListChoice choose_of_lists(Communicator& group, const Bank& bank, const ShardCandidates& shard, const NegativeSet& set,
                           const at::Tensor& slots);

}  // namespace negatron

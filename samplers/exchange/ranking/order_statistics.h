#pragma once

#include <cstdint>
#include <vector>

#include "comm/communicator.h"
#include "samplers/pass/candidate_keys.h"

namespace negatron {

/// With at most so many keys left for each query and rank, radix select stops counting and collects them: fewer bytes
/// than another histogram on up to 16 ranks, and one sweep instead of up to five.
inline constexpr std::int64_t kGatheredKeys = 16;

/// Collective. The keys at given ranks (0 is the best) of each query's order over the candidates of all shards: exact
/// radix select, ties included, because keys hold the slot (samplers/exchange/EXCHANGE.md 3). `candidates` are those of
/// all Q queries, equal on all ranks but for the exclusions. -> [Q, ranks.size()] int64 on every rank; kAfterAllKeys
/// where a query has no more candidates than the rank.
///
/// Rounds of 8 bits, until at most C <= kGatheredKeys keys are left for any query and rank, which are gathered: 2 to 4
/// rounds when scores decide, up to 8 with ties (then none is left to gather). Bytes received per rank, T ranks: in a
/// round those of an all_reduce of Q T 256 numbers of 4 bytes, 2 (P - 1) / P Q T 1024 on average, and (P - 1) Q T C 8
/// in the end.
at::Tensor keys_at_ranks(Communicator& comm, const Rows& rows, const Candidates& candidates,
                         const SelectionOrder& order, const std::vector<std::int64_t>& ranks);

}  // namespace negatron

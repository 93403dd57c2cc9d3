#pragma once

#include "samplers/bank/bank.h"
#include "samplers/exchange/gathered_queries.h"
#include "samplers/exchange/negative_request.h"
#include "samplers/exchange/query_batch.h"
#include "samplers/pass/candidates.h"

namespace negatron {

/// The rows of this shard that may score, and which of them each of the Q queries of a group may meet. `candidates` are
/// equal on all ranks of the group but for the exclusions, which name rows of this shard.
struct ShardCandidates {
  Rows rows;
  Candidates candidates;
  /// Whose the Q queries are.
  QueryShares shares;
};

/// What a request lets the gathered queries meet before any of its sets: rows too old, own samples and labels left out.
/// Local.
ShardCandidates shard_candidates(const Bank& bank, const QueryBatch& batch, const NegativeRequest& request,
                                 const GatheredQueries& gathered);

}  // namespace negatron

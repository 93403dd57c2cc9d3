#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "comm/communicator.h"
#include "samplers/bank/bank.h"
#include "samplers/exchange/negative_request.h"
#include "samplers/pass/blocked_pass.h"

namespace negatron {

/// Queries on their way to the shards. Waited for by `finish_scores`.
struct PendingScores {
  NegativeRequest request;
  std::int64_t global_batch = 0;
  Work queries;
  std::optional<Work> ids;
};

/// Collective. Scores this rank's b = share() queries of `global_batch` against the whole bank, as if it lay on one
/// device: queries (and ids) are gathered by all ranks, each runs the pass over its shard, each query's partials go
/// back to its owner, who merges them in the canonical tree. The result is for own queries only: [S, b], [S, b, d],
/// [b], [b].
///
/// Same answer on any number of ranks: to rounding always; bit for bit when the number of ranks is a power of two that
/// divides the global batch and the bank's batches were of one size (canonical_leaves.h).
///
/// Bytes received per rank, w bytes an element of the queries, r = exchange_record_width():
///   (Bg - b) (d w + 8) for queries and ids,  (P - 1) b r w for partials.
/// The bank never moves. Throws std::invalid_argument when the request does not fit the bank or the share.
PassResult score_bank(Communicator& comm, const Bank& bank, const NegativeRequest& request, std::int64_t global_batch,
                      const Pass& pass = BlockedPass());

/// The same in two halves, so that the gather can travel while the key encoder runs. Between them no other collective
/// may need the queries' memory to change. Collective, both.
PendingScores start_scores(Communicator& comm, const NegativeRequest& request, std::int64_t global_batch);
PassResult finish_scores(Communicator& comm, const Bank& bank, PendingScores pending, const Pass& pass = BlockedPass());

/// Elements of the queries' dtype that one query's partial takes on the way back: S (d + 1), the count, and the maximum
/// when wanted. Local.
std::int64_t exchange_record_width(const NegativeRequest& request);

}  // namespace negatron

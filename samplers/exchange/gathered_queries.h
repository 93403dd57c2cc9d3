#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "comm/communicator.h"
#include "samplers/exchange/negative_request.h"
#include "samplers/exchange/query_batch.h"
#include "samplers/pass/pass.h"

namespace negatron {

/// What of the queries every shard needs to see, on its way or there. Which members are sent follows from the request
/// and the terms, equal on all ranks.
struct PendingQueries {
  /// [b, columns] in the dtype of the queries: q, then k+ (for orders by it), then one column for each term's offset
  /// and each score bound.
  Work vectors;
  /// [b, columns] int64: id, label, then the slots that sets name; absent when none of them is needed.
  std::optional<Work> numbers;
};

struct GatheredQueries {
  at::Tensor queries;                    // [Q, d], Q those of all ranks of the group
  at::Tensor keys;                       // [Q, d] or undefined
  std::vector<at::Tensor> query_offset;  // one for each term, [Q] or undefined
  std::vector<at::Tensor> lower_score;   // one for each set, [Q] or undefined
  std::vector<at::Tensor> upper_score;
  std::vector<at::Tensor> slots;  // one for each set, [Q, m] int64 or undefined
  at::Tensor ids;                 // [Q] int64 or undefined
  at::Tensor labels;              // [Q] int64 or undefined
  at::Tensor query_index;         // [Q] int64
};

/// Whether shards need to see the keys of the queries. Local.
bool needs_keys(const NegativeRequest& request);

/// Collective. Bytes received per rank, w bytes an element of the queries, c further columns of vectors and e of int64:
/// (Q - b) ((d + c) w + 8 e).
PendingQueries start_gather(Communicator& comm, const QueryBatch& batch, const NegativeRequest& request,
                            const std::vector<ScoreTerm>& terms);
/// Waits for what start_gather sent, with the same arguments.
GatheredQueries finish_gather(PendingQueries pending, const QueryBatch& batch, const NegativeRequest& request,
                              const std::vector<ScoreTerm>& terms);

}  // namespace negatron

#pragma once

#include <cstdint>
#include <vector>

#include "samplers/exchange/negative_request.h"
#include "samplers/exchange/query_batch.h"
#include "samplers/pass/pass.h"

namespace negatron {

/// What of the queries every shard needs to see. Which members there are follows from the request and the terms, equal
/// on all ranks.
struct GatheredQueries {
  at::Tensor queries;                    // [Q, d], Q those of all ranks of the group
  at::Tensor keys;                       // [Q, d] or undefined
  std::vector<at::Tensor> query_offset;  // one for each term, [Q] or undefined
  std::vector<at::Tensor> lower_score;   // one for each set, [Q] or undefined
  std::vector<at::Tensor> upper_score;
  std::vector<at::Tensor> slots;  // one for each set, [Q, m] int64 or undefined
  at::Tensor kept_slots;          // [Q, m] int64 or undefined
  at::Tensor ids;                 // [Q] int64 or undefined
  at::Tensor labels;              // [Q] int64 or undefined
  at::Tensor query_index;         // [Q] int64
};

/// Whether shards need to see the keys of the queries. Local.
bool needs_keys(const NegativeRequest& request);

/// Own part of it, as messages for an all-gather: with w bytes an element of the queries, c further columns of vectors
/// and e of int64, (d + c) w + 8 e bytes a query.
struct QueryMessages {
  /// [b, d + c] in the dtype of the queries: q, then k+ (for orders by it), then one column for each term's offset and
  /// each score bound.
  at::Tensor vectors;
  /// [b, e] int64: id, label, then the slots that sets name; undefined when none of them is needed.
  at::Tensor numbers;
};

/// Local.
QueryMessages pack_queries(const QueryBatch& batch, const NegativeRequest& request,
                           const std::vector<ScoreTerm>& terms);
/// The inverse for the messages of all ranks, [Q, ...] each, with the arguments that packed them. Local.
GatheredQueries unpack_queries(const QueryMessages& messages, const QueryBatch& batch, const NegativeRequest& request,
                               const std::vector<ScoreTerm>& terms);

}  // namespace negatron

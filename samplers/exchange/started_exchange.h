#pragma once

#include <cstdint>
#include <future>
#include <optional>
#include <vector>

#include "samplers/exchange/gathered_queries.h"
#include "samplers/exchange/negative_request.h"
#include "samplers/exchange/query_batch.h"
#include "samplers/pass/pass.h"

namespace negatron {

/// A stage that has begun and not ended: its queries are on their way to the shards, or there, where a shard may
/// already score them.
struct StartedExchange {
  QueryBatch batch;
  NegativeRequest request;
  std::vector<ScoreTerm> terms;
  bool want_max = true;
  std::optional<PendingQueries> pending;  // until they are there

  // What follows from them.
  GatheredQueries gathered;
  std::vector<ScoreTerm> all_terms;  // `terms` with the offsets of all queries
  Rows rows;
  Candidates candidates;
  /// Of this shard, where it is computed beside the caller's thread.
  std::future<PassResult> scores;
};

}  // namespace negatron

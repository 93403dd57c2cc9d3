#include "samplers/exchange/shard_candidates.h"

#include "samplers/exchange/ranking/row_pool.h"

namespace negatron {

ShardCandidates shard_candidates(const Bank& bank, const QueryBatch& batch, const NegativeRequest& request,
                                 const GatheredQueries& gathered) {
  ShardCandidates shard;
  shard.rows = request.max_age > 0 ? bank.rows_no_older_than(batch.step - request.max_age) : bank.shard().rows;
  shard.shares = batch.shares;
  Candidates& candidates = shard.candidates;
  candidates.queries = gathered.queries;
  candidates.keys = gathered.keys;
  candidates.query_index = gathered.query_index;
  candidates.labels = gathered.labels;
  candidates.label_rule = request.label_rule;
  if (!gathered.ids.defined()) return shard;
  // A sample may be in the bank more than once.
  candidates.exclusions = bank.rows_with_ids(gathered.ids);
  // The bank knows ids of rows that may score only; one too old is no candidate that could be excluded.
  if (request.max_age > 0) candidates.exclusions = pairs_of_valid_rows(candidates.exclusions, shard.rows);
  return shard;
}

}  // namespace negatron

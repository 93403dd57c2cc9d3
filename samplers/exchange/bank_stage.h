#pragma once

#include <cstdint>
#include <future>
#include <optional>
#include <vector>

#include "comm/communicator.h"
#include "samplers/bank/bank.h"
#include "samplers/exchange/gathered_queries.h"
#include "samplers/exchange/negative_request.h"
#include "samplers/exchange/negative_result.h"
#include "samplers/exchange/partial_record.h"
#include "samplers/exchange/query_batch.h"
#include "samplers/exchange/ranking/hard_set.h"
#include "samplers/exchange/shard_candidates.h"
#include "samplers/pass/pass.h"

namespace negatron {

class BankExchange;

/// The bank's stage of one step: the queries go to every shard, each shard scores what they meet on it, and the
/// partials come back to each query's owner, who merges them in the canonical tree. Between send() and finish() the
/// caller may compute what the stage does not need.
class BankStage {
 public:
  /// `exchange`, `group` and `bank` are referred to; the bank, laid out over the group, must not change before
  /// finish(). `terms` equal on all ranks but for their tensors. Throws std::invalid_argument when the request does not
  /// fit the bank or the shares. Local.
  BankStage(BankExchange& exchange, Communicator& group, const Bank& bank, QueryBatch batch, NegativeRequest request,
            std::vector<ScoreTerm> terms);

  /// Own queries leave for the shards. Collective; stages that were sent finish in their order. Bytes received per
  /// rank: (Q - b) times those of a query's QueryMessages.
  void send();
  /// A stage that is one pass over the shard is scored meanwhile, where the exchange has threads for it: this waits for
  /// the queries and starts no collective, so ranks may differ in it. Else nothing. Local.
  void score_beside();
  /// Waits for all of it. Collective. Bytes received per rank: those of WindowSearch for each set and for further
  /// positives; of choose_of_lists for each set that chooses of rows that it names, and (Q - b) n 8 to tell which; of
  /// HardSetSearch when hardest rows are reported or mixed, for each pool to mix from; of BankClusters with
  /// pseudo-labels; of run_local_mixes or run_fetched_mixes; and (P - 1) b r w for partials, r = partial_elements(), w
  /// bytes an element of the queries.
  NegativeResult finish();

  const NegativeRequest& request() const noexcept { return request_; }
  /// What is scored: the terms, of which sums became softmax means where the request says so.
  const std::vector<ScoreTerm>& terms() const noexcept { return terms_; }

  /// Elements of what one shard sends for one query. Local.
  static std::int64_t partial_elements(const QueryBatch& batch, const NegativeRequest& request,
                                       const std::vector<ScoreTerm>& terms);

 private:
  /// The queries of all ranks, once they are here, and what they may meet on this shard. Local.
  void gather();
  /// How many best rows of the shard are found in the sweep that scores it, for find_hardest(); 0 for none.
  std::int64_t list_length() const;

  // The stage after the scores of the shard, in this order. Each does nothing unless the request asks for it.
  void find_hardest();
  void find_hardest_of_pools();
  void follow_clusters();
  void mix_on_shard();
  void return_to_owners();
  void score_vectors();
  void mix_at_owner();

  BankExchange& exchange_;
  Communicator& group_;
  const Bank& bank_;
  QueryBatch batch_;
  NegativeRequest request_;
  std::vector<ScoreTerm> terms_;

  // Under way: own queries to the shards, and this shard's scores on the side thread.
  std::optional<Work> vectors_;
  std::optional<Work> numbers_;
  std::future<PassResult> scores_;

  // Of all ranks' queries, on this shard.
  bool gathered_here_ = false;
  GatheredQueries gathered_;
  std::vector<ScoreTerm> all_terms_;  // terms_ with the offsets of all queries
  ShardCandidates shard_;
  PartialRecords partials_;

  // Of own queries.
  HardSets hard_sets_;
  NegativeResult result_;
};

}  // namespace negatron

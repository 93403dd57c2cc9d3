#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "comm/communicator.h"
#include "samplers/bank/bank.h"
#include "samplers/exchange/gathered_queries.h"
#include "samplers/exchange/mixes/bank_clusters.h"
#include "samplers/exchange/negative_request.h"
#include "samplers/exchange/query_batch.h"
#include "samplers/exchange/ranking/hard_set.h"
#include "samplers/exchange/side_thread.h"
#include "samplers/exchange/started_exchange.h"
#include "samplers/pass/device_pass.h"

namespace negatron {

/// What own queries met in the whole bank.
struct NegativeResult {
  /// Bank rows and extra vectors together.
  PassResult scores;
  /// [b] the largest score of a bank row, without extra vectors; undefined unless wanted.
  at::Tensor bank_max;
  /// [b, N] keys of the hardest candidates: as many as reported, else as many as mixed from; undefined without both,
  /// and when only pools are mixed from.
  at::Tensor hardest;
  /// [b] int64 mixes that each query met: 0 where it had too few candidates. Undefined without mixes.
  at::Tensor mix_count;
  /// [b] sum of the mixes' scores; undefined without mixes.
  at::Tensor mix_score_sum;
};

/// The all-gather stage: gathers the queries, finds what they meet on every shard, scores it, and brings the partials
/// back to each query's owner, who merges them in the canonical tree. Same answer on any number of ranks: to rounding,
/// with selected slots exactly.
class BankExchange {
 public:
  explicit BankExchange(std::int64_t query_block = BlockedPass::kDefaultQueryBlock)
      : pass_(CpuIsa::kAuto, query_block), search_(pass_) {}
  /// The search refers to the pass.
  BankExchange(const BankExchange&) = delete;
  BankExchange& operator=(const BankExchange&) = delete;

  /// The stage: finish(start()).
  ///
  /// Collective. `terms` equal on all ranks but for their tensors. The bank is laid out over comm's ranks. Throws
  /// std::invalid_argument when the request does not fit the bank or the split.
  ///
  /// Bytes received per rank: those of start_gather; of WindowSearch for each set and for further positives; of
  /// HardSetSearch when hardest rows are reported or mixed, for each pool to mix from; of BankClusters with
  /// pseudo-labels; of run_local_mixes or run_fetched_mixes; and (P - 1) b r w for partials, r = partial_elements(), w
  /// bytes an element of the queries.
  NegativeResult run(Communicator& comm, const Bank& bank, const QueryBatch& batch, const NegativeRequest& request,
                     const std::vector<ScoreTerm>& terms, bool want_max = true);

  /// The same in two halves, between which the caller may compute what the stage does not need. The first sends the
  /// queries. Collective, each; stages that have begun end in their order. The bank must not change between them. With
  /// score_beside(), a stage that is one pass over the shard is also scored meanwhile; it waits for the queries and
  /// starts no collective, so ranks may differ in whether they have threads for it.
  StartedExchange start(Communicator& comm, const Bank& bank, const QueryBatch& batch, const NegativeRequest& request,
                        const std::vector<ScoreTerm>& terms, bool want_max = true) const;
  void score_beside(Communicator& comm, const Bank& bank, StartedExchange& started);
  NegativeResult finish(Communicator& comm, const Bank& bank, StartedExchange started);

  /// Elements of what one shard sends for one query. Local.
  static std::int64_t partial_elements(const QueryBatch& batch, const NegativeRequest& request,
                                       const std::vector<ScoreTerm>& terms, bool want_max);

  /// Chooses the vector code of passes on a CPU. Throws std::invalid_argument when the machine lacks it. Local.
  void use(CpuIsa isa) { pass_ = DevicePass(isa, pass_.query_block()); }
  /// How many threads score beside the caller's on a CPU; 0 for none: then score_beside() does nothing. Local.
  void set_side_threads(int threads) { side_ = threads > 0 ? std::make_unique<SideThread>(threads) : nullptr; }
  HardSetSearch& hard_set_search() noexcept { return search_; }
  BankClusters& clusters() noexcept { return clusters_; }

 private:
  /// How long a shard's lists for the hardest rows are; 0 where none are wanted.
  std::int64_t list_length(const Communicator& comm, const NegativeRequest& request) const;

  DevicePass pass_;
  HardSetSearch search_;
  BankClusters clusters_;
  std::unique_ptr<SideThread> side_;  // the first to go, because it uses the others
};

}  // namespace negatron

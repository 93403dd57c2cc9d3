#pragma once

#include <cstdint>
#include <vector>

#include "comm/communicator.h"
#include "samplers/bank/bank.h"
#include "samplers/exchange/bank_clusters.h"
#include "samplers/exchange/gathered_queries.h"
#include "samplers/exchange/hard_set.h"
#include "samplers/exchange/negative_request.h"
#include "samplers/exchange/query_batch.h"
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
      : pass_(CpuIsa::kAuto, query_block) {}

  /// Collective. `terms` equal on all ranks but for their tensors. The bank is laid out over comm's ranks. Throws
  /// std::invalid_argument when the request does not fit the bank or the split.
  ///
  /// Bytes received per rank: those of start_gather; of WindowSearch for each set and for further positives; of
  /// HardSetSearch when hardest rows are reported or mixed, for each pool to mix from; of BankClusters with
  /// pseudo-labels; of run_local_mixes or run_fetched_mixes; and (P - 1) b r w for partials, r = partial_elements(), w
  /// bytes an element of the queries.
  NegativeResult run(Communicator& comm, const Bank& bank, const QueryBatch& batch, const NegativeRequest& request,
                     const std::vector<ScoreTerm>& terms, bool want_max = true);

  /// Elements of what one shard sends for one query. Local.
  static std::int64_t partial_elements(const QueryBatch& batch, const NegativeRequest& request,
                                       const std::vector<ScoreTerm>& terms, bool want_max);

  /// Chooses the vector code of passes on a CPU. Throws std::invalid_argument when the machine lacks it. Local.
  void use(CpuIsa isa) { pass_ = DevicePass(isa, pass_.query_block()); }
  HardSetSearch& hard_set_search() noexcept { return search_; }
  BankClusters& clusters() noexcept { return clusters_; }

 private:
  DevicePass pass_;
  HardSetSearch search_;
  BankClusters clusters_;
};

}  // namespace negatron

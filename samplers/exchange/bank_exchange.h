#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "samplers/bank/bank.h"
#include "samplers/exchange/bank_stage.h"
#include "samplers/exchange/mixes/bank_clusters.h"
#include "samplers/exchange/negative_request.h"
#include "samplers/exchange/negative_result.h"
#include "samplers/exchange/query_batch.h"
#include "samplers/exchange/ranking/hard_set.h"
#include "samplers/exchange/side_thread.h"
#include "samplers/options/named_state.h"
#include "samplers/pass/device_pass.h"

namespace negatron {

/// What the bank's stages of a run share: the pass that was chosen, what the search for hard sets has learned of the
/// shards, the clusters of the bank, and the thread that scores beside the caller's. Same answers on any number of
/// ranks: to rounding, with selected slots exactly.
class BankExchange {
 public:
  explicit BankExchange(std::int64_t query_block = BlockedPass::kDefaultQueryBlock)
      : pass_(CpuIsa::kAuto, query_block), search_(pass_) {}
  /// The search refers to the pass.
  BankExchange(const BankExchange&) = delete;
  BankExchange& operator=(const BankExchange&) = delete;

  /// A stage whose queries have left; to be finished. Collective. Refers to this exchange, which must not move
  /// meanwhile. Throws as BankStage does.
  BankStage begin(Communicator& group, const Bank& bank, const QueryBatch& batch, const NegativeRequest& request,
                  const std::vector<ScoreTerm>& terms);
  /// A stage from end to end. Collective. Throws as BankStage does.
  NegativeResult run(Communicator& group, const Bank& bank, const QueryBatch& batch, const NegativeRequest& request,
                     const std::vector<ScoreTerm>& terms);

  /// Chooses the vector code of passes on a CPU. Throws std::invalid_argument when the machine lacks it. Local.
  void use(CpuIsa isa) { pass_ = DevicePass(isa, pass_.query_block()); }
  /// How many threads score beside the caller's on a CPU; 0 for none: then BankStage::score_beside() does nothing.
  /// Local.
  void set_side_threads(int threads) { side_ = threads > 0 ? std::make_unique<SideThread>(threads) : nullptr; }

  /// Chooses who scores requests of one and of two plain terms on a GPU, by a trial of `queries` queries at `scale`
  /// over this rank's shard; the least time of the slowest rank wins, so that all ranks of `comm` choose alike. On a
  /// CPU, and for rows that only one pass serves, there is nothing to choose. Collective.
  void choose_pass(Communicator& comm, const Bank& bank, std::int64_t queries, double scale);

  const Pass& pass() const noexcept { return pass_; }
  HardSetSearch& hard_set_search() noexcept { return search_; }
  BankClusters& clusters() noexcept { return clusters_; }
  /// Null without one.
  SideThread* side_thread() noexcept { return side_.get(); }

  /// What a later step depends on: how long hard-set lists are, the bank's clusters, and, once choose_pass() has
  /// chosen, who scores, so that a run that goes on has the same bits. Equal on all ranks. The tensors are the live
  /// ones. Local.
  NamedState state() const;
  /// Takes state() over; the clusters, onto the bank's device, only `with_clusters`: otherwise they begin afresh.
  /// Throws MissingState; then nothing has changed. Local.
  void restore(const NamedState& state, bool with_clusters, at::Device device);
  /// Whether state() may have a tensor of that name.
  static bool remembers(const std::string& tensor);

 private:
  void choose(GpuPass pass, int terms);

  DevicePass pass_;
  /// For requests of one and of two terms: choose_pass() had a choice, or the run that goes on had.
  std::array<bool, kMostScanTerms> has_chosen_{};
  HardSetSearch search_;
  BankClusters clusters_;
  std::unique_ptr<SideThread> side_;  // the first to go, because it uses the others
};

}  // namespace negatron

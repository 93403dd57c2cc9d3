#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "comm/communicator.h"
#include "runtime/data/batch_source.h"
#include "runtime/metrics/step_metrics.h"
#include "runtime/run/pretrain_data.h"
#include "runtime/run/resume.h"
#include "runtime/training/contrast_setup.h"
#include "runtime/training/pretrain_options.h"
#include "runtime/training/trainer.h"

namespace negatron {

/// Whether batches follow a plan: their order, or what was mined for them. Local.
bool plans_batches(const PretrainOptions& options, const ContrastSetup& setup);

/// What a run makes anew between two steps, of all samples, with the encoder as it is: the rows of an index
/// (--bank-kind index), what a sampler mines in it, and the order of the next epoch (--batch-order similar). All of it
/// is a function of weights, bank and position, so that a run which resumes makes the same, on any number of ranks.
class RefreshJobs {
 public:
  /// Everything outlives it. `host` carries tensors of the host, over the ranks of the trainer. Local.
  RefreshJobs(const PretrainOptions& options, const ContrastSetup& setup, const PretrainData& data,
              const ViewFormat& format, Communicator& host, Trainer& trainer);

  /// Whether something is to be made before the batch at `position`; once run() has been, not before it is due again.
  /// Equal on all ranks. Local.
  bool due(const RunPosition& position) const;
  /// Makes all that is due at `position`, where an order goes, and what was lost with the process of a run that
  /// resumes; returns what it made, if anything. What `pause` throws, on all ranks alike, leaves bank and position as
  /// they are. Collective.
  std::optional<RefreshMetrics> run(RunPosition& position, const std::function<void()>& pause);
  bool has_index() const { return has_index_; }
  /// The rows of the index are of other samples: it is due. Local.
  void forget_index() { knows_index_ = false; }
  /// Of the batches up to planned_until(), behind run(). Local.
  BatchPlan plan(const RunPosition& position) const { return {orders_ ? position.order : at::Tensor(), mined_}; }
  /// The position, counted over epochs, of the first batch before which something is due again. Local.
  std::int64_t planned_until() const { return until_; }

 private:
  bool index_is_due(const RunPosition& position) const;
  /// Behind `position`.
  std::int64_t next_due(const RunPosition& position) const;
  void make_index(const std::function<void()>& pause);
  /// [N] the order of the epoch at `position`.
  at::Tensor make_order(const RunPosition& position, const std::function<void()>& pause);
  /// Of the epoch, the share of a batch that is chosen for being alike.
  double similar_in(std::int64_t epoch) const;

  const PretrainOptions& options_;
  const PretrainData& data_;
  ViewFormat format_;
  Communicator& host_;
  Trainer& trainer_;
  std::optional<Mining> mining_;
  bool orders_;
  bool has_index_;
  bool knows_index_ = true;
  /// [N, mined] once something was mined.
  at::Tensor mined_;
  /// The first position at which something is due; nothing before the first run().
  std::int64_t until_ = -1;
};

}  // namespace negatron

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <ATen/ATen.h>

#include "comm/communicator.h"
#include "runtime/data/batch_source.h"
#include "runtime/metrics/step_metrics.h"
#include "runtime/training/step_sums.h"
#include "samplers/bank/bank.h"
#include "samplers/contrast/contrastive_loss.h"

namespace negatron {

/// Steps between those whose accuracy is known wherever it costs time: on a GPU the fastest pass does not find the
/// largest score, and a step that looks for it takes the bank's next best.
inline constexpr std::int64_t kAccuracySteps = 10;

/// Steps between those that tell how old the bank's rows are.
inline constexpr std::int64_t kAgeSteps = 50;

/// How the numbers of a step are counted.
struct StepReportOptions {
  /// 2 where keys are anchors, too, else 1.
  double anchors_per_query = 1.0;
  /// Steps between looks at the hard set, 0 for never.
  std::int64_t hard_sets_every = 0;
};

/// Puts one step into numbers: begin() before it, sums() once the loss is there, finish() at its end. Nothing of it
/// changes what the step computes. Every rank has one and calls alike.
class StepReport {
 public:
  /// `group` are the ranks that share the bank, which is null without one. Everything outlives the report. Local.
  StepReport(const StepReportOptions& options, Communicator& comm, Communicator& group, const Bank* bank,
             ContrastiveLoss& loss);

  /// A step begins: bytes are counted from here. `epoch` is the training progress in epochs
  /// that the sampler anneals by, `momentum` NaN without a momentum encoder. Local.
  void begin(const Batch& batch, std::int64_t step, double epoch, double learning_rate, double momentum);
  /// Whether hard sets are looked at in the step that has begun. Local.
  bool looks_at_hard_sets() const;
  /// Whether the step that has begun must say how often the positive beats every negative; others do where it is free.
  /// Local.
  bool needs_accuracy() const { return begun_.step % kAccuracySteps == 0; }
  /// [n] fp64 on the loss's device: this rank's sums, to be added up over ranks in one message. Collective over the
  /// bank's group in a step that looks at hard sets (report_hard_sets), and in one that tells how old rows are that
  /// stay (8 bytes in an all_reduce); otherwise local.
  at::Tensor sums(const ContrastOutput& output);
  /// The step in numbers: those of the whole job, but for times and bytes, which are this rank's. `totals` are sums()
  /// added up over ranks, `skipped` the steps of the run that were left out. The sampler observes loss and accuracy
  /// here, because its own numbers are those after that. Local.
  StepMetrics finish(const at::Tensor& totals, std::int64_t skipped, const StepTimer& timer);

  /// The step of the last look at the hard sets: to be saved and restored.
  std::int64_t last_look() const noexcept { return last_look_; }
  void restore(std::int64_t last_look) noexcept { last_look_ = last_look; }

 private:
  void describe_loss(StepMetrics& metrics) const;
  void describe_bank(StepMetrics& metrics) const;
  void describe_sampler(StepMetrics& metrics);
  /// Of rows that stay, a rank knows the ages of its own. Collective over the bank's group.
  void add_ages();
  /// Over all ranks, of one copy of the bank.
  std::map<std::int64_t, std::int64_t> summed_ages() const;
  bool tells_ages() const { return bank_ != nullptr && begun_.step % kAgeSteps == 0; }
  bool rows_stay_here() const { return bank_ != nullptr && rows_stay(bank_->kind()); }
  /// Bytes over all groups that this rank is in.
  std::map<std::string, Traffic> traffic() const;

  StepReportOptions options_;
  Communicator& comm_;
  Communicator& group_;
  const Bank* bank_;
  ContrastiveLoss& loss_;

  // Of the step that has begun.
  StepMetrics begun_;
  double queries_ = 0.0;
  double epoch_ = 0.0;
  at::Tensor labels_;
  /// Searches for hard sets before this step.
  std::int64_t searches_before_ = 0;
  StepSums sums_;
  /// Names of sums per anchor, and of those per query that was looked at.
  std::vector<std::string> anchor_sums_;
  std::vector<std::string> hard_set_sums_;
  bool has_mixes_ = false;
  /// How many ages are counted together.
  std::int64_t ages_together_ = 1;

  std::int64_t last_look_ = 0;
};

}  // namespace negatron

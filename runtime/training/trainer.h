#pragma once

#include <memory>
#include <optional>

#include "comm/communicator.h"
#include "runtime/data/batch_source.h"
#include "runtime/encoders/momentum_encoder.h"
#include "runtime/metrics/step_metrics.h"
#include "runtime/metrics/step_timer.h"
#include "runtime/snapshots/trainer_state.h"
#include "runtime/training/compute_place.h"
#include "runtime/training/contrast_setup.h"
#include "runtime/training/finite_guard.h"
#include "runtime/training/gradient_reducer.h"
#include "runtime/training/pretrain_options.h"
#include "runtime/training/schedule.h"
#include "runtime/training/step_sums.h"
#include "runtime/training/step_wishes.h"
#include "samplers/bank/bank.h"
#include "samplers/contrast/bank_mesh.h"
#include "samplers/contrast/hard_set_report.h"

namespace negatron {

/// All that a run learns and the step that changes it. Every rank holds one; parameters are replicated, the bank is
/// sharded. Tensors live on one device.
class Trainer {
 public:
  /// `options` are valid for the communicator's size; `input_channels` those of the images. The communicator carries
  /// tensors of the device and outlives the trainer. `sample_types` as read_sample_types() gives them, undefined for
  /// none. Local, but equal on every rank.
  Trainer(const PretrainOptions& options, const ComputePlace& place, Communicator& comm, std::int64_t input_channels,
          std::int64_t steps_per_epoch, const at::Tensor& sample_types = {});

  /// One training step; README.md, "The step in nine lines". Collective. `timer` has been started for this step; the
  /// metrics are those of the whole job, but for the times and bytes, which are this rank's. `wishes` (may be null) go
  /// in as this rank's and come out as any rank's. Throws TrainingError on every rank when too many steps in a row were
  /// not finite.
  StepMetrics step(const Batch& batch, StepTimer& timer, StepWishes* wishes = nullptr);

  /// Features of images [b, C, H, W] float, normalised, on any device: [b, F]. Local.
  at::Tensor features(const at::Tensor& images);
  /// Unit rows [b, d] that the query encoder makes of them, without gradient and by running statistics. Local.
  at::Tensor embed(const at::Tensor& images);

  /// All that the next step depends on beside the bank and the batch: parameters, buffers and momentum of the
  /// optimizer, what objective and sampler have learned, counters. The tensors are the live ones. Equal on every rank
  /// but for what only speeds things up. Local.
  TrainerState state() const;
  /// Takes all of it over. `schedule_step` is the step of this run's schedules: the number of steps done, unless the
  /// epochs have another number of steps than those before. Throws SnapshotError that names both values and the flag
  /// when the state is that of another run; then nothing has changed. Local.
  void restore(const TrainerState& state, std::int64_t schedule_step);

  const Bank* bank() const noexcept { return bank_ ? &*bank_ : nullptr; }
  Bank* bank() noexcept { return bank_ ? &*bank_ : nullptr; }
  std::int64_t steps_done() const noexcept { return steps_done_; }

 private:
  /// Query and key embeddings of a batch, [b, d] unit rows each.
  struct Embeddings {
    torch::Tensor queries;
    torch::Tensor keys;
    /// The views the other way round; undefined unless symmetric.
    torch::Tensor other_queries;
    torch::Tensor other_keys;
    /// What began as soon as the queries were there.
    std::optional<StartedBankStage> stage;
    std::optional<StartedBankStage> other_stage;
  };
  /// Collective: the bank's stage begins beside the key encoder.
  Embeddings embed_views(const Batch& batch);
  /// Without views.
  ContrastInput contrast_input(const Batch& batch);
  std::optional<StartedBankStage> start_stage(const Batch& batch, const torch::Tensor& queries);
  ContrastOutput contrast(const Batch& batch, Embeddings& views);
  StepSums sums_of(const Batch& batch, const ContrastOutput& output);
  StepMetrics describe_step(const Batch& batch, const ContrastOutput& output, const StepSums& sums,
                            const StepTimer& timer);
  bool looks_at_hard_sets() const;
  /// Over all groups that this rank is in.
  std::map<std::string, Traffic> step_traffic();
  std::vector<torch::Tensor> trained_tensors() const;
  /// Everything that is restored in place; those of trained_tensors() come first, in its order.
  std::vector<std::pair<std::string, torch::Tensor>> named_tensors() const;
  std::int64_t schedule_step() const noexcept { return steps_done_ + schedule_shift_; }
  /// Passes over the data before this step, with their fraction, as samplers anneal by them.
  double sampler_epoch() const noexcept {
    return static_cast<double>(schedule_step()) / static_cast<double>(steps_per_epoch_);
  }
  at::Tensor to_place(const at::Tensor& images) const;

  PretrainOptions options_;
  ComputePlace place_;
  Communicator& comm_;

  std::shared_ptr<ContrastiveEncoder> query_encoder_;
  std::optional<MomentumEncoder> key_encoder_;
  std::shared_ptr<ProjectionHead> predictor_;
  /// What the optimizer trains: query encoder, and predictor if any.
  torch::nn::Module trained_;
  ContrastSetup setup_;
  BankMesh mesh_;
  std::optional<Bank> bank_;
  std::unique_ptr<ContrastiveLoss> loss_;
  std::int64_t steps_per_epoch_;

  std::unique_ptr<torch::optim::SGD> optimizer_;
  LearningRateSchedule learning_rate_;
  MomentumOptions momentum_;
  std::unique_ptr<GradientReducer> reducer_;
  FiniteGuard guard_;
  std::int64_t steps_done_ = 0;
  /// Where the schedules stand, less steps_done_: not 0 after a resume with another batch.
  std::int64_t schedule_shift_ = 0;
  /// What the last look at the hard sets saw (of this rank), and when that was.
  std::map<std::string, at::Tensor> look_;
  std::int64_t last_look_ = 0;
  /// Searches for hard sets before this step.
  std::int64_t searches_before_ = 0;
};

}  // namespace negatron

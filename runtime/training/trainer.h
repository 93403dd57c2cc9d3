#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "comm/communicator.h"
#include "runtime/data/batch_source.h"
#include "runtime/encoders/compute_place.h"
#include "runtime/encoders/encoder_pair.h"
#include "runtime/encoders/view_pair.h"
#include "runtime/metrics/step_metrics.h"
#include "runtime/metrics/step_timer.h"
#include "runtime/snapshots/named_bank.h"
#include "runtime/snapshots/trainer_state.h"
#include "runtime/training/contrast_setup.h"
#include "runtime/training/finite_guard.h"
#include "runtime/training/gradient_reducer.h"
#include "runtime/training/optimizers/optimizer.h"
#include "runtime/training/pretrain_options.h"
#include "runtime/training/step_report.h"
#include "runtime/training/step_wishes.h"
#include "runtime/training/training_schedule.h"
#include "samplers/bank/bank.h"
#include "samplers/contrast/bank_mesh.h"
#include "samplers/contrast/contrast_batch.h"
#include "samplers/contrast/contrastive_loss.h"
#include "samplers/exchange/rows/listed_rows.h"
#include "samplers/exchange/rows/sample_rows.h"

namespace negatron {

/// What a trainer must know of its data before it sees any.
struct TrainedData {
  /// Of the images.
  std::int64_t channels = 1;
  std::int64_t steps_per_epoch = 1;
  SampleFacts facts;
  /// Of every view.
  ImageSize view_size{};
};

/// All that a run learns and the step that changes it. Every rank holds one; parameters are replicated, the bank is
/// sharded. Tensors live on one device.
class Trainer {
 public:
  /// `options` are valid for the communicator's size, `setup` is what resolve_contrast() made of them. The communicator
  /// carries tensors of the device and outlives the trainer. Collective where ranks hold several copies of the bank
  /// (`options.shards`), which divides the communicator, and on GPUs, which try what scores the bank fastest; else
  /// local. All ranks begin with equal parameters.
  Trainer(const PretrainOptions& options, const ContrastSetup& setup, const ComputePlace& place, Communicator& comm,
          const TrainedData& data);

  /// One training step; README.md, "The step in nine lines". Collective. `timer` has been started for this step; the
  /// metrics are those of the whole job, but for the times and bytes, which are this rank's. `wishes` (may be null) go
  /// in as this rank's and come out as any rank's. Throws TrainingError on every rank when too many steps in a row were
  /// not finite.
  StepMetrics step(const Batch& batch, StepTimer& timer, StepWishes* wishes = nullptr);

  /// All that the next step depends on beside the bank and the batch: parameters, buffers and what the
  /// optimizer remembers, what objective and sampler have learned, counters. The tensors are the live ones. Equal on
  /// every rank but for what only speeds things up. Local.
  TrainerState state() const;
  /// Takes all of it over. `schedule_step` is the step of this run's schedules: the number of steps done, unless the
  /// epochs have another number of steps than those before. Throws SnapshotError that names both values and the flag
  /// when the state is that of another run; then nothing has changed. Local.
  void restore(const TrainerState& state, std::int64_t schedule_step);

  EncoderPair& encoders() noexcept { return encoders_; }
  /// That which the queries of the first view meet. Null when negatives come from elsewhere.
  const Bank* bank() const noexcept { return bank_.get(); }
  Bank* bank() noexcept { return bank_.get(); }
  /// All that snapshots have, by the names of bank_names(): none, one, or one for each view.
  std::vector<NamedBank> banks();
  /// The ranks that share one copy of the bank, and what finds rows in it.
  Communicator& bank_group() noexcept { return mesh_.group(); }
  BankExchange& exchange() noexcept { return loss_->exchange(); }
  std::int64_t steps_done() const noexcept { return steps_done_; }

 private:
  /// The batch with its views the other way round, on its way to a loss.
  struct OtherDirection {
    ViewPair views;
    at::Tensor queries;
    LossStep stage;
    at::Tensor keys;
  };
  using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;
  using SavedTensors = std::map<std::string, at::Tensor>;

  /// What the loss must know of the batch beside its embeddings. Collective on devices.
  ContrastBatch describe(const Batch& batch);
  /// The ids of the batches of `ranks`, on the host. Collective over them.
  at::Tensor gathered_ids(const Batch& batch, Communicator& ranks, const QueryShares& shares);
  /// Queries [b, d] as the loss scores them, and keys [b, d] as the bank stores them: [b, d], or by distances [b, d +
  /// 2]. Local.
  at::Tensor scored(const at::Tensor& queries) const;
  at::Tensor stored(const at::Tensor& keys) const;
  /// The positives where they are rows of the bank, in `type`; else undefined. Collective.
  at::Tensor positive_rows(const ContrastBatch& contrast, at::ScalarType type);
  /// Line 8: what the bank takes of the step, `queries` [b, d] as the encoder made them, `keys` as the bank stores
  /// them; `other_queries` are those of the other direction, undefined without one. Collective where keys, features or
  /// gradients move.
  void update_bank(const Batch& batch, const at::Tensor& queries, const at::Tensor& other_queries,
                   const at::Tensor& keys, const GradientOfRows& row_gradient);
  /// Cuts the gradients of the encoders and the objective, and those of what makes negatives, to --clip-norm. Local.
  void clip();
  /// With --symmetric each view is query once and key once, and the loss is the mean of both directions; with
  /// --bank-per-view each is query once, and its keys are rows of the other view's bank. The second one
  /// begins before the first one's stage is finished, so that its queries travel meanwhile. Collective.
  std::optional<OtherDirection> begin_other_direction(const ViewPair& views, const ContrastBatch& contrast);
  /// What of backward is left behind the loss's own where the batch passes the encoders in several parts: both
  /// directions, part by part. Collective as the encoders' backward; buckets of gradients leave during the last part.
  void backward_in_parts(ViewPair& views, std::optional<OtherDirection>& other);
  /// Where the schedules stand.
  std::int64_t schedule_step() const noexcept { return steps_done_ + schedule_shift_; }
  /// What the gradient is taken of: parameters of the encoders, then those that the loss has.
  std::vector<at::Tensor> trained_tensors() const;

  /// Everything that is restored in place; those of trained_tensors() come first, in its order.
  NamedTensors named_tensors() const;
  /// Throws SnapshotError unless `saved` are the tensors of this run, with all that the optimizer remembers or
  /// nothing of it.
  void check_tensors(const SavedTensors& saved) const;
  /// Takes over tensors that check_tensors() has found right.
  void take_tensors(const SavedTensors& saved);
  /// What of `saved` the optimizer remembered for one of trained_tensors(), which has that name.
  Optimizer::Remembered remembered_in(const SavedTensors& saved, const std::string& name) const;
  /// As it goes into the snapshot: the sampler with all its options.
  std::string sampler_text() const { return options_.sampler + " " + options_.sampler_options; }

  PretrainOptions options_;
  Communicator& comm_;
  ContrastSetup setup_;
  EncoderPair encoders_;
  BankMesh mesh_;
  std::unique_ptr<Bank> bank_;
  /// With --bank-per-view: met by the queries of the second view.
  std::unique_ptr<Bank> other_bank_;
  std::unique_ptr<ContrastiveLoss> loss_;
  std::unique_ptr<Optimizer> optimizer_;
  TrainingSchedule schedule_;
  GradientReducer reducer_;
  FiniteGuard guard_;
  StepReport report_;
  /// Of the step: own samples' rows of bank() and of the other bank, with memory banks; and of a parametric one.
  std::optional<SampleRows> own_rows_;
  std::optional<SampleRows> other_rows_;
  std::optional<ListedRows> weights_;
  std::int64_t steps_done_ = 0;
  /// Where the schedules stand, less steps_done_: not 0 after a resume with another batch.
  std::int64_t schedule_shift_ = 0;
};

}  // namespace negatron

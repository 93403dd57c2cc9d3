#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <ATen/ATen.h>

#include "runtime/data/augmentation.h"
#include "runtime/data/holdout.h"
#include "runtime/data/normalization.h"
#include "runtime/data/source_options.h"
#include "runtime/encoders/backbone_options.h"
#include "runtime/encoders/precision.h"
#include "runtime/encoders/projection_head.h"
#include "runtime/run/snapshot_settings.h"
#include "runtime/training/optimizers/optimizer.h"
#include "runtime/training/schedule.h"
#include "samplers/bank/bank.h"
#include "samplers/bank/row_optimizer.h"
#include "samplers/cpu/cpu_isa.h"
#include "samplers/objectives/registry.h"

namespace negatron {

/// Weights that a run starts with.
struct InitialWeights {
  /// Of the backbones, a file that read_saved_weights() reads; empty for random ones.
  std::string file;
  /// Of the momentum encoder's backbone; empty for those of the query encoder.
  std::string key_file;
  /// A first convolution over three channels may become one over a single one.
  bool adapt_channels = false;
};

/// In which order an epoch visits the samples.
enum class BatchOrder {
  kRandom,
  /// So that batches hold samples that are alike (data/orders/similar_order.h).
  kSimilar
};

/// Everything that decides what a pretraining run computes, and how fast. Each value is that of the whole job, whatever
/// the number of ranks, unless it says "of a rank".
struct PretrainOptions {
  // What is computed.
  SourceOptions data;
  /// Evaluation uses these images, opened as the training images are; empty for the test part of `data`.
  std::string eval_data;
  /// Evaluation uses these training images, and no test part.
  Holdout holdout;
  /// The next image takes the place of a broken one; else it ends the run.
  bool skips_bad_images = true;
  /// The recipe that `augmentation` began with; empty for none. Says where the values come from and nothing else.
  std::string views;
  AugmentationOptions augmentation;
  /// Nothing for what the training images measure when the run begins; a run that resumes keeps what it has.
  std::optional<Normalization> normalization;

  BackboneOptions encoder;
  InitialWeights init;
  /// Its norm is decided by `head_norm`.
  ProjectionHeadOptions head;
  /// Of the projection head, and of the predictor if any; nothing for what the objective is known with.
  std::optional<HeadNorm> head_norm;
  double momentum_start = 0.99;
  MomentumSchedule momentum_schedule = MomentumSchedule::kConstant;

  BankKind bank_kind = BankKind::kQueue;
  /// Of a memory bank and an index the number of training samples, once they are known.
  std::int64_t bank_rows = 4096;
  /// What a row of a memory bank keeps of itself when its sample was encoded.
  double bank_momentum = 0.5;
  /// A memory bank for each of the two views of a sample; queries of either view meet the other one's (Tian, Krishnan
  /// and Isola, CMC, ECCV 2020).
  bool bank_per_view = false;
  /// Of a learned bank: the temperature of the loss that its rows raise.
  double rows_tau = 0.02;
  /// How rows that learn are trained; those of a parametric bank at a rate that falls as the encoder's does.
  RowOptimizer rows;
  BankFill bank_fill = BankFill::kRandom;
  /// When an index is made anew, beside the start: every so many steps or epochs, or never.
  RunInterval refresh_every;
  /// fp32, bf16 or fp16. A run in fp64 stores fp64 whatever this says.
  at::ScalarType bank_dtype = at::kFloat;
  bool mask_own_sample = true;
  /// Rows that are more steps old do not score; 0 for no limit.
  std::int64_t max_key_age = 0;
  /// Ranks that share one copy of the bank; divides the number of ranks. 0 for all of them.
  std::int64_t shards = 0;

  std::string objective = "info-nce";
  /// "name=value,..." as `--list-objectives` and `--list-samplers` show them.
  std::string objective_options;
  /// Nothing for the source that the objective is known with.
  std::optional<NegativeSource> negatives;
  std::string sampler = "whole-bank";
  std::string sampler_options;
  bool allow_oracle = false;
  /// A file with the type (modality, source) of each training sample; empty when samples have no types.
  std::string sample_types;
  /// A file with how often each training sample was counted; empty when nobody counted.
  std::string sample_counts;
  /// Each step also contrasts the views the other way round and takes the mean.
  bool symmetric = false;
  /// Hidden width of the predictor, for objectives that have one.
  std::int64_t predictor_hidden = 512;
  double tau = 0.2;
  bool learn_tau = false;

  std::int64_t global_batch = 256;
  /// Identities, which are labels, in a batch, with as many images of each; 0 for batches at random.
  std::int64_t batch_identities = 0;
  BatchOrder batch_order = BatchOrder::kRandom;
  /// Of an order by similarity: the share of a batch that is chosen for being alike, in the last epoch; it grows from 0
  /// in the first one.
  double batch_similar = 0.5;
  /// The batch passes the encoders in so many parts (parted_pass.h).
  std::int64_t accumulate = 1;
  std::int64_t epochs = 10;
  /// Ends the run early; 0 means never. Schedules always span all epochs.
  std::int64_t max_steps = 0;
  bool drop_last = false;
  double learning_rate = 0.06;
  double minimum_learning_rate = 0.0;
  double warmup_epochs = 0.5;
  OptimizerOptions optimizer;
  std::int64_t max_skipped_steps = 10;
  std::uint64_t seed = 0;
  /// Nothing for bf16 where the device computes in it natively, else fp32.
  std::optional<Precision> precision;

  // How it is computed.
  at::DeviceType device = at::kCPU;
  /// Compute threads of a rank; 0 means its share of the cores that it may use.
  std::int64_t threads = 0;
  /// Threads of a rank that score the bank while the key encoder runs, on a CPU; 0 for none, -1 for the cores that
  /// `threads` leaves free, which the launcher knows.
  std::int64_t bank_threads = -1;
  /// Vector code of the bank's passes on a CPU.
  CpuIsa cpu_isa = CpuIsa::kAuto;
  /// Background threads of a rank that build batches; -1 for the cores that training leaves free, which the launcher
  /// knows, at least one.
  std::int64_t loader_threads = -1;
  /// Views are made where they are trained on, of the bytes of their images, and not by the loader's threads.
  bool views_on_device = false;
  /// Bytes of a rank for images that lie in memory and for batches that wait; at least one batch does.
  std::int64_t data_memory = std::int64_t{2} << 30;

  /// On a GPU: convolutions in fp32 round what they multiply to TF32.
  bool tf32 = false;
  /// On a GPU: cuDNN's convolutions are tried when a shape first comes, and the fastest is kept.
  bool cudnn_benchmark = false;

  // What is kept.
  SnapshotSettings snapshots;

  // What is measured.
  std::int64_t knn_k = 200;
  double knn_temperature = 0.1;
  /// Epochs between evaluations while training; 0 means only before and after.
  std::int64_t evaluate_every = 1;
  /// Whether raw pixels and random weights are evaluated first, to compare with.
  bool baselines = true;
  /// Sizes of the evaluations while training; those before and after use everything. 0 means everything. Fewer training
  /// images make accuracies that cannot be compared with the others; fewer test images only make them noisier.
  std::int64_t evaluate_index = 0;
  std::int64_t evaluate_queries = 2000;
  /// Steps between looks at the hard set, 0 for never; and at how many rows a query.
  std::int64_t telemetry_every = 0;
  std::int64_t telemetry_top = 64;
  /// Whether TensorBoard's file of events is written, into tensorboard/ of the run directory.
  bool tensorboard = true;

  /// Views that a step takes of a sample: where rows are positives, they stand in the place of the second one.
  int views_of_sample() const { return rows_are_positives(bank_kind) && !bank_per_view ? 1 : 2; }
  /// Numbers of a row of the bank, and of a query as it is scored.
  std::int64_t width_of_rows() const { return row_width(head.length, head.output); }
  /// Whether either view is query once, in two stages of one step.
  bool both_directions() const { return symmetric || bank_per_view; }

  /// Throws std::invalid_argument with one sentence that names the flag, also when `ranks` ranks cannot do it. What
  /// objective, sampler and bank ask of each other is resolve_contrast()'s to say.
  void validate(int ranks) const;
};

}  // namespace negatron

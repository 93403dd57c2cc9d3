#include "runtime/training/pretrain_options.h"

#include <cmath>
#include <sstream>
#include <string>

#include "comm/require.h"
#include "runtime/snapshots/bank_file.h"
#include "samplers/objectives/temperature.h"
#include "samplers/pass/cpu/kernel_choice.h"

namespace negatron {
namespace {

std::string number(std::int64_t value) {
  return std::to_string(value);
}

/// Groups of options that validate themselves.
void validate_groups(const PretrainOptions& options) {
  options.encoder.validate();
  options.head.validate();
  options.augmentation.validate();
  if (options.normalization) options.normalization->validate();
  options.optimizer.validate();
  options.snapshots.validate();
  require_isa(options.cpu_isa);
}

void validate_init(const InitialWeights& init) {
  require(init.key_file.empty() || !init.file.empty(),
          "--init-key needs --init: the momentum encoder follows the query encoder.");
  require(!init.adapt_channels || !init.file.empty(), "--init-adapt-channels needs --init.");
}

/// An optimizer that divides by the root of squares moves each number of a row by about the rate in its first step.
void require_rows_rate(const PretrainOptions& options) {
  if (!rows_learn(options.bank_kind) || options.rows.kind == RowOptimizerKind::kSgd) return;
  const double most = 1.0 / std::sqrt(static_cast<double>(options.head.output));
  std::ostringstream sentence;
  sentence << "--rows-optimizer " << row_optimizer_text(options.rows.kind) << " with --rows-lr " << options.rows.rate
           << " would move a row by more than its length of 1 in its first step; for --width " << options.head.output
           << " give less than " << most << ", such as 0.01.";
  require(options.head.length != RowLength::kUnit || options.rows.rate < most, sentence.str());
}

/// What a query meets.
void validate_method(const PretrainOptions& options) {
  require(options.bank_threads >= -1,
          "--bank-threads must be at least 0, or -1 for the cores that --threads leaves free.");
  require(options.tau > 0.0, "--tau must be above 0.");
  require(options.rows_tau > 0.0, "--rows-tau must be above 0.");
  require(options.rows.rate >= 0.0 && options.rows.weight_decay >= 0.0 && options.rows.momentum >= 0.0 &&
              options.rows.momentum < 1.0,
          "--rows-lr and --rows-weight-decay must be at least 0, and --rows-momentum of [0, 1).");
  require_rows_rate(options);
  require(options.max_key_age >= 0, "--max-key-age must be at least 0 steps (0 means no limit).");
  require(options.predictor_hidden >= 1, "--predictor-hidden must be at least 1.");
  require(options.telemetry_every >= 0, "--telemetry-every must be at least 0 steps (0 means never).");
  require(options.telemetry_top >= 1, "--telemetry-top must be at least 1.");
  constexpr double kLeastLearnedTau = 1.0 / Temperature::kMaxLearnedScale;
  require(!options.learn_tau || options.tau >= kLeastLearnedTau,
          "--learn-tau needs --tau of at least 0.01: 1/tau is kept at or below 100.");
}

/// How the job's ranks share batch and bank.
void validate_shares(const PretrainOptions& options, int ranks) {
  require(options.shards >= 0 && (options.shards == 0 || ranks % options.shards == 0),
          "--shards " + number(options.shards) + " must divide the number of ranks, " + number(ranks) +
              " (0 means one shard a rank).");
  require(!rows_learn(options.bank_kind) || options.shards == 0 || options.shards == ranks,
          "--bank-kind " + kind_text(options.bank_kind) +
              " has one copy of the bank, whose rows learn from the queries of all ranks; leave --shards "
              "at 0.");
  require(options.global_batch >= 1, "--global-batch must be at least 1.");
  require(options.global_batch >= ranks, "--global-batch " + number(options.global_batch) +
                                             " is smaller than the number of ranks, " + number(ranks) +
                                             ": every rank needs at least one sample.");
  require(options.batch_identities >= 0 &&
              (options.batch_identities == 0 || options.global_batch % options.batch_identities == 0),
          "--batch-identities " + number(options.batch_identities) + " must divide --global-batch, " +
              number(options.global_batch) + ": a batch has as many images of each (0 means batches at random).");
  require(options.batch_order == BatchOrder::kRandom || options.batch_identities == 0,
          "--batch-order similar and --batch-identities both say what is in a batch; leave one of them out.");
  require(options.batch_similar >= 0.0 && options.batch_similar <= 1.0, "--batch-similar must be of [0, 1].");
  require(options.accumulate >= 1 && options.accumulate <= options.global_batch,
          "--accumulate must be at least 1 and at most --global-batch, " + number(options.global_batch) + ", got " +
              number(options.accumulate) + ": a part has at least one sample.");
}

/// How long it trains, and how fast it learns.
void validate_schedule(const PretrainOptions& options) {
  require(options.epochs >= 1, "--epochs must be at least 1.");
  require(options.max_steps >= 0, "--max-steps must be at least 0 (0 means no limit).");
  require(options.warmup_epochs >= 0.0 && options.warmup_epochs <= static_cast<double>(options.epochs),
          "--warmup-epochs must lie between 0 and --epochs, " + number(options.epochs) + ".");
  LearningRateOptions rate;
  rate.base = options.learning_rate;
  rate.minimum = options.minimum_learning_rate;
  rate.total_steps = 1;
  rate.global_batch = options.global_batch;
  rate.validate();
}

/// Threads, and what is measured on the way.
void validate_measurements(const PretrainOptions& options) {
  require(options.data.view_side >= 0, "--image-size must be at least 0 pixels (0 means as the images are).");
  require(options.eval_data.empty() || options.holdout.count == 0,
          "--eval-data and --holdout both say what evaluation uses; leave one of them out.");
  require(options.threads >= 0, "--threads must be at least 0 (0 means the rank's share of the cores).");
  require(options.loader_threads >= -1,
          "--loader-threads must be at least 0, or -1 for the cores that training leaves free.");
  require(options.data_memory >= 1, "--data-memory must be above 0 bytes.");
  require(options.knn_k >= 1, "--knn-k must be at least 1.");
  require(options.knn_temperature > 0.0, "--knn-temperature must be above 0.");
  require(options.evaluate_every >= 0, "--evaluate-every must be at least 0 (0 means only before and after).");
  require(options.evaluate_index >= 0 && options.evaluate_queries >= 0,
          "--evaluate-index and --evaluate-queries must be at least 0 (0 means everything).");
  MomentumOptions{options.momentum_start}.validate();
}

}  // namespace

void PretrainOptions::validate(int ranks) const {
  // In this order, so that of several mistakes the one that is named stays the same.
  validate_groups(*this);
  validate_init(init);
  validate_method(*this);
  validate_shares(*this, ranks);
  validate_schedule(*this);
  validate_measurements(*this);
}

}  // namespace negatron

#include "runtime/training/pretrain_options.h"

#include <stdexcept>
#include <vector>

#include "comm/require.h"
#include "runtime/training/contrast_setup.h"
#include "runtime/training/schedule.h"
#include "samplers/cpu/cpu_isa.h"
#include "samplers/pass/cpu/kernel_choice.h"

namespace negatron {
namespace {

void require_one_of(const char* flag, const std::string& value, const std::vector<std::string>& allowed) {
  std::string list;
  for (const std::string& name : allowed) {
    if (value == name) return;
    list += (list.empty() ? "" : ", ") + name;
  }
  throw std::invalid_argument(std::string(flag) + " is '" + value + "', expected one of: " + list + ".");
}

std::string number(std::int64_t value) {
  return std::to_string(value);
}

/// Options that have names, and those that validate themselves.
void validate_names(const PretrainOptions& options) {
  options.encoder.validate();
  options.head.validate();
  options.augmentation.validate();
  options.sgd.validate();
  require_one_of("--head-norm", options.head_norm, {"auto", "none", "batch"});
  options.snapshots.validate();
  require_one_of("--bank-fill", options.bank_fill, {"random", "empty"});
  require_one_of("--bank-dtype", options.bank_dtype, {"fp32", "bf16", "fp16"});
  require_one_of("--momentum-schedule", options.momentum_schedule, {"constant", "cosine"});
  require_one_of("--device", options.device, {"cpu", "cuda"});
  require_one_of("--precision", options.precision, {"auto", "fp32", "bf16", "fp64"});
  require_isa(parse_cpu_isa(options.cpu_isa));
}

/// What a query meets.
void validate_method(const PretrainOptions& options) {
  require(options.bank_threads >= -1,
          "--bank-threads must be at least 0, or -1 for the cores that --threads leaves free.");
  require(options.tau > 0.0, "--tau must be above 0.");
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
  const ContrastSetup setup = resolve_contrast(options);
  require(options.shards >= 0 && (options.shards == 0 || ranks % options.shards == 0),
          "--shards " + number(options.shards) + " must divide the number of ranks, " + number(ranks) +
              " (0 means one shard a rank).");
  require(!options.symmetric || !setup.trains_keys(),
          "--symmetric goes with a key encoder; --negatives batch contrasts both views already.");
  require(options.global_batch >= 1, "--global-batch must be at least 1.");
  require(options.global_batch >= ranks, "--global-batch " + number(options.global_batch) +
                                             " is smaller than the number of ranks, " + number(ranks) +
                                             ": every rank needs at least one sample.");
  if (setup.has_bank()) {
    require(options.bank_rows >= options.global_batch,
            "--bank-rows " + number(options.bank_rows) + " is smaller than --global-batch " +
                number(options.global_batch) + ": a step would push out its own keys.");
  }
  require(setup.source != NegativeSource::kBatch || options.global_batch >= 2,
          "--negatives batch needs --global-batch of at least 2: the negatives are the batch.");
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
  require(options.holdout >= 0, "--holdout must be at least 0.");
  require(options.threads >= 0, "--threads must be at least 0 (0 means the rank's share of the cores).");
  require(options.loader_threads >= 0, "--loader-threads must be at least 0.");
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
  validate_names(*this);
  validate_method(*this);
  validate_shares(*this, ranks);
  validate_schedule(*this);
  validate_measurements(*this);
}

bool PretrainOptions::needs_bank() const {
  return resolve_contrast(*this).has_bank();
}

}  // namespace negatron

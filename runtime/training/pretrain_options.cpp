#include "runtime/training/pretrain_options.h"

#include <stdexcept>
#include <vector>

#include "comm/require.h"
#include "runtime/training/contrast_setup.h"
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

}  // namespace

void PretrainOptions::validate(int ranks) const {
  encoder.validate();
  head.validate();
  augmentation.validate();
  sgd.validate();
  require_one_of("--head-norm", head_norm, {"auto", "none", "batch"});
  snapshots.validate();
  require_one_of("--bank-fill", bank_fill, {"random", "empty"});
  require_one_of("--bank-dtype", bank_dtype, {"fp32", "bf16", "fp16"});
  require_one_of("--momentum-schedule", momentum_schedule, {"constant", "cosine"});
  require_one_of("--device", device, {"cpu", "cuda"});
  require_one_of("--precision", precision, {"auto", "fp32", "bf16", "fp64"});
  require_isa(parse_cpu_isa(cpu_isa));
  require(bank_threads >= -1, "--bank-threads must be at least 0, or -1 for the cores that --threads leaves free.");
  require(tau > 0.0, "--tau must be above 0.");
  require(max_key_age >= 0, "--max-key-age must be at least 0 steps (0 means no limit).");
  require(predictor_hidden >= 1, "--predictor-hidden must be at least 1.");
  require(telemetry_every >= 0, "--telemetry-every must be at least 0 steps (0 means never).");
  require(telemetry_top >= 1, "--telemetry-top must be at least 1.");
  constexpr double kLeastLearnedTau = 1.0 / Temperature::kMaxLearnedScale;
  require(!learn_tau || tau >= kLeastLearnedTau,
          "--learn-tau needs --tau of at least 0.01: 1/tau is kept at or below 100.");
  const ContrastSetup setup = resolve_contrast(*this);
  require(shards >= 0 && (shards == 0 || ranks % shards == 0), "--shards " + number(shards) +
                                                                   " must divide the number of ranks, " +
                                                                   number(ranks) + " (0 means one shard a rank).");
  require(!symmetric || !setup.trains_keys(),
          "--symmetric goes with a key encoder; --negatives batch contrasts both views already.");
  require(global_batch >= 1, "--global-batch must be at least 1.");
  require(global_batch >= ranks, "--global-batch " + number(global_batch) + " is smaller than the number of ranks, " +
                                     number(ranks) + ": every rank needs at least one sample.");
  if (setup.has_bank()) {
    require(bank_rows >= global_batch, "--bank-rows " + number(bank_rows) + " is smaller than --global-batch " +
                                           number(global_batch) + ": a step would push out its own keys.");
  }
  require(setup.source != NegativeSource::kBatch || global_batch >= 2,
          "--negatives batch needs --global-batch of at least 2: the negatives are the batch.");
  require(epochs >= 1, "--epochs must be at least 1.");
  require(max_steps >= 0, "--max-steps must be at least 0 (0 means no limit).");
  require(warmup_epochs >= 0.0 && warmup_epochs <= static_cast<double>(epochs),
          "--warmup-epochs must lie between 0 and --epochs, " + number(epochs) + ".");
  LearningRateOptions rate;
  rate.base = learning_rate;
  rate.minimum = minimum_learning_rate;
  rate.total_steps = 1;
  rate.global_batch = global_batch;
  rate.validate();
  require(holdout >= 0, "--holdout must be at least 0.");
  require(threads >= 0, "--threads must be at least 0 (0 means the rank's share of the cores).");
  require(loader_threads >= 0, "--loader-threads must be at least 0.");
  require(knn_k >= 1, "--knn-k must be at least 1.");
  require(knn_temperature > 0.0, "--knn-temperature must be above 0.");
  require(evaluate_every >= 0, "--evaluate-every must be at least 0 (0 means only before and after).");
  require(evaluate_index >= 0 && evaluate_queries >= 0,
          "--evaluate-index and --evaluate-queries must be at least 0 (0 means everything).");
  MomentumOptions{momentum_start}.validate();
}

bool PretrainOptions::needs_bank() const {
  return resolve_contrast(*this).has_bank();
}

}  // namespace negatron

#include "runtime/training/trainer_parts.h"

#include <cmath>

#include "runtime/encoders/initialization.h"
#include "samplers/objectives/registry.h"

namespace negatron {
namespace {

ProjectionHeadOptions head_options(const PretrainOptions& options) {
  ProjectionHeadOptions head = options.head;
  head.norm = parse_head_norm(options.head_norm, describe_objective(options.objective).needs_predictor);
  return head;
}

at::ScalarType bank_dtype(const PretrainOptions& options, Precision precision) {
  if (precision == Precision::kFp64) return at::kDouble;
  if (options.bank_dtype == "bf16") return at::kBFloat16;
  return options.bank_dtype == "fp16" ? at::kHalf : at::kFloat;
}

}  // namespace

std::shared_ptr<ContrastiveEncoder> make_encoder(const PretrainOptions& options, const ComputePlace& place,
                                                 Communicator& comm, std::int64_t input_channels) {
  auto encoder = std::make_shared<ContrastiveEncoder>(make_backbone(options.encoder, input_channels, &comm),
                                                      head_options(options), &comm);
  initialize(*encoder, options.seed);
  encoder->to(place.device, parameter_dtype(place.precision));
  return encoder;
}

BankOptions bank_options(const PretrainOptions& options, const ComputePlace& place) {
  BankOptions bank;
  bank.rows = options.bank_rows;
  bank.width = options.head.output;
  bank.dtype = bank_dtype(options, place.precision);
  bank.device = place.device;
  bank.fill = options.bank_fill == "empty" ? BankFill::kEmpty : BankFill::kRandom;
  bank.seed = options.seed;
  bank.global_batch = options.global_batch;
  return bank;
}

std::int64_t total_steps(const PretrainOptions& options, std::int64_t steps_per_epoch) {
  return options.epochs * steps_per_epoch;
}

LearningRateOptions learning_rate_options(const PretrainOptions& options, std::int64_t steps_per_epoch) {
  LearningRateOptions rate;
  rate.base = options.learning_rate;
  rate.minimum = options.minimum_learning_rate;
  rate.warmup_steps = std::llround(options.warmup_epochs * static_cast<double>(steps_per_epoch));
  rate.total_steps = total_steps(options, steps_per_epoch);
  rate.global_batch = options.global_batch;
  return rate;
}

MomentumOptions momentum_options(const PretrainOptions& options, std::int64_t steps_per_epoch) {
  const MomentumSchedule schedule =
      options.momentum_schedule == "cosine" ? MomentumSchedule::kCosine : MomentumSchedule::kConstant;
  return {options.momentum_start, schedule, total_steps(options, steps_per_epoch)};
}

std::shared_ptr<ProjectionHead> make_predictor(const PretrainOptions& options, const ComputePlace& place,
                                               Communicator& comm) {
  ProjectionHeadOptions shape = head_options(options);
  shape.hidden = options.predictor_hidden;
  auto predictor = std::make_shared<ProjectionHead>(options.head.output, shape, &comm);
  // Another stream than the encoder's, whose first layers would hold the same numbers.
  initialize(*predictor, options.seed + 1);
  predictor->to(place.device, parameter_dtype(place.precision));
  return predictor;
}

int shard_count(const PretrainOptions& options, const Communicator& comm) {
  return options.shards > 0 ? static_cast<int>(options.shards) : comm.size();
}

}  // namespace negatron

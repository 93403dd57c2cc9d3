#include "runtime/training/trainer.h"

#include <cmath>

#include "runtime/encoders/conv_encoder.h"
#include "runtime/encoders/initialization.h"
#include "runtime/training/sgd.h"
#include "samplers/exchange/bank_exchange.h"
#include "samplers/objectives/registry.h"
#include "samplers/policies/whole_bank.h"

namespace negatron {
namespace {

std::shared_ptr<ContrastiveEncoder> make_encoder(const PretrainOptions& options, const ComputePlace& place,
                                                 std::int64_t input_channels) {
  ConvEncoderOptions shape = options.encoder;
  shape.input_channels = input_channels;
  auto encoder = std::make_shared<ContrastiveEncoder>(std::make_shared<ConvEncoder>(shape), options.head);
  initialize(*encoder, options.seed);
  encoder->to(place.device, parameter_dtype(place.precision));
  return encoder;
}

at::ScalarType bank_dtype(const PretrainOptions& options, Precision precision) {
  if (precision == Precision::kFp64) return at::kDouble;
  if (options.bank_dtype == "bf16") return at::kBFloat16;
  return options.bank_dtype == "fp16" ? at::kHalf : at::kFloat;
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

ObjectiveOptions objective_options(const PretrainOptions& options, const ComputePlace& place) {
  ObjectiveOptions objective;
  objective.name = options.objective;
  objective.temperature = {options.tau, options.learn_tau, parameter_dtype(place.precision), place.device};
  return objective;
}

}  // namespace

Trainer::Trainer(const PretrainOptions& options, const ComputePlace& place, Communicator& comm,
                 std::int64_t input_channels, std::int64_t steps_per_epoch)
    : options_(options),
      place_(place),
      comm_(comm),
      query_encoder_(make_encoder(options, place, input_channels)),
      sampler_(std::make_unique<WholeBank>(options.mask_own_sample)),
      objective_(make_objective(objective_options(options, place))),
      learning_rate_(learning_rate_options(options, steps_per_epoch)),
      momentum_(momentum_options(options, steps_per_epoch)),
      guard_(options.max_skipped_steps) {
  if (!objective_->needs_key_gradient()) key_encoder_.emplace(query_encoder_);
  if (objective_->needs_bank()) bank_.emplace(bank_options(options, place), comm.rank(), comm.size());
  optimizer_ = make_sgd(*query_encoder_, objective_->parameters(), options.sgd);
  reducer_ = std::make_unique<GradientReducer>(comm_, trained_tensors());
}

StepMetrics Trainer::step(const Batch& batch, StepTimer& timer) {
  comm_.traffic().start_step();
  const double rate = learning_rate_.at(steps_done_);
  const double momentum = momentum_at(momentum_, steps_done_);

  Embeddings views;
  {
    const auto phase = timer.scope(Phase::kForward);
    views = embed_views(to_place(batch.view_a), to_place(batch.view_b));  // [b, d] each
  }
  ObjectiveOutput output;
  {
    const auto phase = timer.scope(Phase::kBank);
    const QueryBatch queries{views.queries.detach(), views.keys.detach(), batch.ids,
                             batch.global_size,      steps_done_,         objective_->scales()};
    output = objective_->compute(comm_, {views.queries, views.keys, score_negatives(queries), batch.global_size});
  }
  {
    const auto phase = timer.scope(Phase::kBackward);
    // Not Optimizer::zero_grad, which cannot let go of gradients that are views of the reducer's buckets.
    for (torch::Tensor& tensor : trained_tensors()) tensor.mutable_grad().reset();
    output.loss.backward();
  }
  // [4] of the whole job: loss, similarity to the positive, to the negatives, queries that beat all negatives.
  const at::Tensor totals =
      at::stack({output.loss.detach(), output.positive_similarity, output.negative_similarity, output.correct})
          .to(at::kDouble);
  bool finite = false;
  {
    const auto phase = timer.scope(Phase::kExchange);
    reducer_->reduce();
    comm_.all_reduce(totals, ReduceOp::kSum);
    finite = guard_.accept(comm_, output.loss, trained_tensors(), steps_done_);
  }
  if (finite) {
    const auto phase = timer.scope(Phase::kOptimizer);
    set_learning_rate(*optimizer_, rate);
    optimizer_->step();
    if (key_encoder_) key_encoder_->follow(momentum);
    if (bank_) bank_->enqueue(views.keys.detach(), batch.ids, batch.labels, steps_done_, batch.global_size);
  }

  const at::Tensor sums = totals.cpu();
  const auto queries = static_cast<double>(batch.global_size);
  StepMetrics metrics;
  metrics.step = steps_done_;
  metrics.epoch = batch.epoch;
  metrics.loss = sums[0].item<double>();
  metrics.positive_similarity = sums[1].item<double>() / queries;
  metrics.negative_similarity = sums[2].item<double>() / queries;
  metrics.proxy_accuracy = sums[3].item<double>() / queries;
  metrics.learning_rate = rate;
  metrics.momentum = key_encoder_ ? momentum : std::nan("");
  metrics.temperature = 1.0 / objective_->scales()[0];
  metrics.bank_fill =
      bank_ ? static_cast<double>(bank_->filled()) / static_cast<double>(bank_->capacity()) : std::nan("");
  metrics.bank_age = bank_ ? bank_->mean_age(steps_done_) : std::nan("");
  metrics.skipped_steps = guard_.skipped();
  metrics.traffic = comm_.traffic().step();
  metrics.phases = timer.milliseconds();
  metrics.step_milliseconds = timer.step_milliseconds();
  metrics.images_per_second = queries / (metrics.step_milliseconds / 1000.0);
  ++steps_done_;
  return metrics;
}

Trainer::Embeddings Trainer::embed_views(const at::Tensor& view_a, const at::Tensor& view_b) {
  const PrecisionGuard precision(place_.precision, place_.device.type());
  if (key_encoder_) return {query_encoder_->forward(view_a), key_encoder_->forward(view_b)};
  // Both views by one encoder, in one batch: [2b, d].
  const torch::Tensor rows = query_encoder_->forward(at::cat({view_a, view_b}));
  const std::int64_t batch = view_a.size(0);
  return {rows.narrow(0, 0, batch), rows.narrow(0, batch, batch)};
}

PassResult Trainer::score_negatives(const QueryBatch& queries) {
  if (!bank_) return {};
  return score_bank(comm_, *bank_, sampler_->draw(*bank_, queries), queries.global_batch);
}

at::Tensor Trainer::features(const at::Tensor& images) {
  const at::NoGradGuard no_grad;
  const PrecisionGuard precision(place_.precision, place_.device.type());
  return query_encoder_->features(to_place(images));
}

at::Tensor Trainer::embed(const at::Tensor& images) {
  const at::NoGradGuard no_grad;
  const PrecisionGuard precision(place_.precision, place_.device.type());
  return query_encoder_->forward(to_place(images));
}

std::vector<torch::Tensor> Trainer::trained_tensors() const {
  std::vector<torch::Tensor> tensors = query_encoder_->parameters();
  for (const torch::Tensor& parameter : objective_->parameters()) tensors.push_back(parameter);
  return tensors;
}

at::Tensor Trainer::to_place(const at::Tensor& images) const {
  return images.to(place_.device, parameter_dtype(place_.precision), /*non_blocking=*/true);
}

}  // namespace negatron

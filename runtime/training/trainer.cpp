#include "runtime/training/trainer.h"

#include <cmath>

#include "runtime/encoders/evaluation_mode.h"
#include "runtime/training/sgd.h"
#include "runtime/training/trainer_parts.h"

namespace negatron {

Trainer::Trainer(const PretrainOptions& options, const ComputePlace& place, Communicator& comm,
                 std::int64_t input_channels, std::int64_t steps_per_epoch, const at::Tensor& sample_types)
    : options_(options),
      place_(place),
      comm_(comm),
      query_encoder_(make_encoder(options, place, comm, input_channels)),
      setup_(resolve_contrast(options)),
      mesh_(comm, shard_count(options, comm)),
      loss_(make_contrastive_loss(options, setup_, parameter_dtype(place.precision), place.device, steps_per_epoch,
                                  sample_types)),
      steps_per_epoch_(steps_per_epoch),
      learning_rate_(learning_rate_options(options, steps_per_epoch)),
      momentum_(momentum_options(options, steps_per_epoch)),
      guard_(options.max_skipped_steps) {
  trained_.register_module("encoder", query_encoder_);
  if (setup_.objective.needs_predictor) {
    predictor_ = make_predictor(options, place, comm);
    trained_.register_module("predictor", predictor_);
  }
  if (!setup_.trains_keys()) key_encoder_.emplace(query_encoder_);
  if (setup_.has_bank()) bank_.emplace(bank_options(options, place), mesh_.group().rank(), mesh_.group().size());
  optimizer_ = make_sgd(trained_, loss_->objective().parameters(), options.sgd);
  reducer_ = std::make_unique<GradientReducer>(comm_, trained_tensors());
}

StepMetrics Trainer::step(const Batch& batch, StepTimer& timer, StepWishes* wishes) {
  comm_.traffic().start_step();
  if (&mesh_.group() != &comm_) mesh_.group().traffic().start_step();
  const double rate = learning_rate_.at(schedule_step());
  const double momentum = momentum_at(momentum_, schedule_step());
  searches_before_ = loss_->exchange().hard_set_search().searches();

  std::optional<Embeddings> held;
  {
    const auto phase = timer.scope(Phase::kForward);
    held.emplace(embed_views(batch));  // [b, d] each
  }
  Embeddings& views = *held;
  ContrastOutput output;
  {
    const auto phase = timer.scope(Phase::kBank);
    output = contrast(views);
  }
  {
    const auto phase = timer.scope(Phase::kBackward);
    // Not Optimizer::zero_grad, which cannot let go of gradients that are views of the reducer's buckets.
    for (torch::Tensor& tensor : trained_tensors()) tensor.mutable_grad().reset();
    output.loss.backward();
  }
  StepSums sums = sums_of(batch, output);
  const at::Tensor totals = sums.stacked();
  bool finite = false;
  {
    const auto phase = timer.scope(Phase::kExchange);
    reducer_->reduce();
    comm_.all_reduce(totals, ReduceOp::kSum);
    finite = guard_.accept(comm_, output.loss, trained_tensors(), steps_done_, wishes);
  }
  if (finite) {
    const auto phase = timer.scope(Phase::kOptimizer);
    set_learning_rate(*optimizer_, rate);
    optimizer_->step();
    if (key_encoder_) key_encoder_->follow(momentum);
    if (bank_) mesh_.enqueue(*bank_, views.keys.detach(), batch.ids, batch.labels, steps_done_, batch.global_size);
  }

  sums.set(totals);
  StepMetrics metrics = describe_step(batch, output, sums, timer);
  metrics.learning_rate = rate;
  metrics.momentum = key_encoder_ ? momentum : std::nan("");
  if (NegativeSampler* sampler = loss_->sampler()) {
    sampler->observe({steps_done_, metrics.loss, metrics.proxy_accuracy});
    for (const auto& [name, value] : sampler->metrics()) metrics.method[name] = value;
  }
  ++steps_done_;
  return metrics;
}

ContrastBatch Trainer::contrast_batch(const Batch& batch) {
  ContrastBatch input;
  input.ids = batch.ids;
  input.labels = batch.labels;
  input.shares = mesh_.whole_shares(batch.global_size);
  input.bank_group = &mesh_.group();
  input.bank_shares = mesh_.group_shares(batch.global_size);
  input.step = steps_done_;
  input.epoch = static_cast<double>(schedule_step()) / static_cast<double>(steps_per_epoch_);
  input.progress = static_cast<double>(schedule_step()) / static_cast<double>(total_steps(options_, steps_per_epoch_));
  if (looks_at_hard_sets()) input.report_hardest = options_.telemetry_top;
  return input;
}

ContrastOutput Trainer::contrast(Embeddings& views) {
  ContrastOutput output = views.step->finish(views.keys);
  if (!views.other_step) return output;
  const ContrastOutput other = views.other_step->finish(views.other_keys);
  output.loss = 0.5 * (output.loss + other.loss);
  return output;
}

StepSums Trainer::sums_of(const Batch& batch, const ContrastOutput& output) {
  StepSums sums;
  sums.add("loss", output.loss);
  sums.add("positive_similarity", output.positive_similarity);
  sums.add("negative_similarity", output.negative_similarity);
  sums.add("correct", output.correct);
  sums.add(output.metrics);
  const NegativeResult& negatives = output.negatives;
  if (negatives.mix_count.defined()) {
    sums.add("mixes", negatives.mix_count.sum());
    sums.add("mix_score", negatives.mix_score_sum.sum());
  }
  if (looks_at_hard_sets()) {
    look_ = report_hard_sets(mesh_.group(), *bank_, negatives, batch.labels, steps_done_, last_look_);
    last_look_ = steps_done_;
    sums.add(look_);
  }
  return sums;
}

bool Trainer::looks_at_hard_sets() const {
  return bank_ && options_.telemetry_every > 0 && steps_done_ % options_.telemetry_every == 0;
}

StepMetrics Trainer::describe_step(const Batch& batch, const ContrastOutput& output, const StepSums& sums,
                                   const StepTimer& timer) {
  const auto queries = static_cast<double>(batch.global_size);
  StepMetrics metrics;
  metrics.step = steps_done_;
  metrics.epoch = batch.epoch;
  metrics.loss = sums["loss"];
  metrics.positive_similarity = sums["positive_similarity"] / queries;
  metrics.negative_similarity = sums["negative_similarity"] / queries;
  metrics.proxy_accuracy = sums["correct"] / queries;
  const double anchors = setup_.trains_keys() && !setup_.objective.queries_only ? 2.0 * queries : queries;
  for (const auto& [name, sum] : output.metrics) metrics.method[name] = sums[name] / anchors;
  if (output.negatives.mix_count.defined()) {
    metrics.method["mixes_per_query"] = sums["mixes"] / queries;
    metrics.method["mix_score"] = sums["mixes"] > 0.0 ? sums["mix_score"] / sums["mixes"] : std::nan("");
  }
  if (looks_at_hard_sets()) {
    for (const auto& [name, sum] : look_) metrics.method[name] = sums[name] / sums["queries"];
    metrics.method.erase("queries");
  }
  if (loss_->exchange().hard_set_search().searches() > searches_before_) {
    metrics.method["hard_set_fallback"] = loss_->exchange().hard_set_search().last_fallback_rate();
  }
  metrics.temperature = loss_->objective().temperature();
  metrics.bank_fill =
      bank_ ? static_cast<double>(bank_->filled()) / static_cast<double>(bank_->capacity()) : std::nan("");
  metrics.bank_age = bank_ ? bank_->mean_age(steps_done_) : std::nan("");
  metrics.skipped_steps = guard_.skipped();
  metrics.traffic = step_traffic();
  metrics.phases = timer.milliseconds();
  metrics.step_milliseconds = timer.step_milliseconds();
  metrics.images_per_second = queries / (metrics.step_milliseconds / 1000.0);
  return metrics;
}

Trainer::Embeddings Trainer::embed_views(const Batch& batch) {
  const at::Tensor view_a = to_place(batch.view_a);
  const at::Tensor view_b = to_place(batch.view_b);
  if (!key_encoder_) {
    // Both views by one encoder, in one batch: [2b, d].
    const PrecisionGuard precision(place_.precision, place_.device.type());
    const torch::Tensor rows = query_encoder_->forward(at::cat({view_a, view_b}));
    const std::int64_t size = view_a.size(0);
    Embeddings views;
    views.queries = rows.narrow(0, 0, size);
    views.keys = rows.narrow(0, size, size);
    views.step.emplace(loss_->begin(comm_, bank(), contrast_batch(batch), views.queries));
    return views;
  }
  const auto query = [this](const at::Tensor& view) {
    const PrecisionGuard precision(place_.precision, place_.device.type());
    const torch::Tensor rows = query_encoder_->forward(view);
    return predictor_ ? predictor_->forward(rows) : rows;
  };
  const auto key = [this](const at::Tensor& view) {
    const PrecisionGuard precision(place_.precision, place_.device.type());
    return key_encoder_->forward(view);
  };
  Embeddings views;
  views.queries = query(view_a);
  const ContrastBatch shared = contrast_batch(batch);
  views.step.emplace(loss_->begin(comm_, bank(), shared, views.queries));
  views.keys = key(view_b);
  if (options_.symmetric) {
    views.other_queries = query(view_b);
    views.other_step.emplace(loss_->begin(comm_, bank(), shared, views.other_queries));
    views.other_keys = key(view_a);
  }
  return views;
}

std::map<std::string, Traffic> Trainer::step_traffic() {
  std::map<std::string, Traffic> traffic = comm_.traffic().step();
  if (&mesh_.group() == &comm_) return traffic;
  for (const auto& [operation, part] : mesh_.group().traffic().step()) {
    Traffic& whole = traffic[operation];
    whole.calls += part.calls;
    whole.bytes_sent += part.bytes_sent;
    whole.bytes_received += part.bytes_received;
  }
  return traffic;
}

at::Tensor Trainer::features(const at::Tensor& images) {
  const at::NoGradGuard no_grad;
  const PrecisionGuard precision(place_.precision, place_.device.type());
  const EvaluationMode evaluation(*query_encoder_);
  return query_encoder_->features(to_place(images));
}

at::Tensor Trainer::embed(const at::Tensor& images) {
  const at::NoGradGuard no_grad;
  const PrecisionGuard precision(place_.precision, place_.device.type());
  const EvaluationMode evaluation(*query_encoder_);
  return query_encoder_->forward(to_place(images));
}

std::vector<torch::Tensor> Trainer::trained_tensors() const {
  std::vector<torch::Tensor> tensors = trained_.parameters();
  for (const torch::Tensor& parameter : loss_->objective().parameters()) tensors.push_back(parameter);
  return tensors;
}

at::Tensor Trainer::to_place(const at::Tensor& images) const {
  return images.to(place_.device, parameter_dtype(place_.precision), /*non_blocking=*/true);
}

}  // namespace negatron

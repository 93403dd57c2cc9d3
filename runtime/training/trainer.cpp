#include "runtime/training/trainer.h"

#include <algorithm>
#include <cmath>

#include "comm/queued_copy.h"
#include "comm/share.h"
#include "runtime/training/bank_setup.h"
#include "runtime/training/optimizers/optimizer.h"
#include "runtime/training/view_banks.h"
#include "samplers/bank/row_geometry.h"

namespace negatron {
namespace {

EncoderPairOptions encoder_options(const PretrainOptions& options, const ContrastSetup& setup,
                                   const TrainedData& data) {
  EncoderPairOptions encoders;
  encoders.backbone = options.encoder;
  encoders.input_channels = data.channels;
  encoders.view_size = data.view_size;
  encoders.head = options.head;
  encoders.head.norm = choose_head_norm(options.head_norm, setup.objective.needs_predictor);
  encoders.predictor_hidden = setup.objective.needs_predictor ? options.predictor_hidden : 0;
  encoders.keys = setup.keys();
  encoders.seed = options.seed;
  return encoders;
}

StepReportOptions report_options(const PretrainOptions& options, const ContrastSetup& setup) {
  const bool keys_are_anchors = setup.source == NegativeSource::kBatch && !setup.objective.queries_only;
  return {keys_are_anchors ? 2.0 : 1.0, options.telemetry_every};
}

std::vector<at::Tensor> trained_with_loss(const ContrastiveLoss& loss) {
  std::vector<at::Tensor> tensors;
  for (const auto& [name, parameter] : loss.named_parameters()) tensors.push_back(parameter);
  return tensors;
}

/// Of the two directions of a symmetric step: the loss, and with it the gradient of what rows raise, is their mean;
/// what is reported is the first one's.
ContrastOutput mean_of(ContrastOutput output, const ContrastOutput& other) {
  output.loss = 0.5 * (output.loss + other.loss);
  output.row_gradient = sum_of(std::move(output.row_gradient), other.row_gradient);
  if (output.row_gradient.values.defined()) output.row_gradient.values.mul_(0.5);
  return output;
}

}  // namespace

Trainer::Trainer(const PretrainOptions& options, const ContrastSetup& setup, const ComputePlace& place,
                 Communicator& comm, const TrainedData& data)
    : options_(options),
      comm_(comm),
      setup_(setup),
      encoders_(encoder_options(options, setup_, data), place, comm),
      mesh_(comm, shard_count(options, comm)),
      bank_(setup_.has_bank() ? make_bank(options, place, mesh_.group()) : nullptr),
      other_bank_(options.bank_per_view ? make_bank(options, place, mesh_.group(), 1) : nullptr),
      loss_(make_contrastive_loss(options, setup_, parameter_dtype(place.precision), place.device, data.steps_per_epoch,
                                  data.facts)),
      optimizer_(make_optimizer(encoders_.trained(), trained_with_loss(*loss_), options.optimizer)),
      schedule_(options, data.steps_per_epoch),
      reducer_(comm, trained_tensors()),
      guard_(options.max_skipped_steps),
      report_(report_options(options, setup_), comm, mesh_.group(), bank_.get(), *loss_) {
  if (!bank_) return;
  const double sharpest = setup_.has_learned() ? std::min(options.tau, options.rows_tau) : options.tau;
  loss_->exchange().choose_pass(comm, *bank_, mesh_.group_shares(options.global_batch).total(), 1.0 / sharpest);
}

// The numbers are those of README.md, "The step in nine lines". Line 1, batch = loader.next(), stands where the loader
// is: in train_epoch() of runtime/run/pretrain.cpp.
StepMetrics Trainer::step(const Batch& batch, StepTimer& timer, StepWishes* wishes) {
  const double rate = schedule_.learning_rate(schedule_step());
  const double momentum = schedule_.momentum(schedule_step());
  report_.begin(batch, steps_done_, schedule_.epoch(schedule_step()), rate,
                encoders_.has_momentum_encoder() ? momentum : std::nan(""));
  const ContrastBatch contrast = describe(batch);

  timer.enter(Phase::kForward);
  const BatchParts parts = divide_batch(options_.accumulate, options_.global_batch, batch.global_size,
                                        share(batch.global_size, comm_.size(), comm_.rank()));
  if (batch.arrive) batch.arrive();
  ViewPair views(encoders_, batch.view_a, batch.view_b, parts, batch.mined_views);
  const at::Tensor queries = views.query();  // 2  [b, d] unit rows, or as --head-output says
  LossStep stage = loss_->begin(comm_, bank(), contrast, scored(queries));  // 4  begins: the queries travel
  // 3  [b, d] as they lie in the bank
  const at::Tensor rows = positive_rows(contrast, queries.scalar_type());
  const at::Tensor keys = rows.defined() ? rows : stored(views.key());
  std::optional<OtherDirection> other = begin_other_direction(views, contrast);
  timer.enter(Phase::kBank);
  ContrastOutput output =
      stage.finish(keys, views.mined());  // 4, 5  what the whole bank says about the queries, and the loss
  // Both stages were begun before either is finished, in the same order on every rank.
  if (other) output = mean_of(std::move(output), other->stage.finish(other->keys));
  timer.enter(Phase::kBackward);
  // Undefined and not zeroed: the old gradients are views of the buckets.
  reducer_.drop_gradients();
  output.loss.backward();  // 6  complete buckets of gradients travel while it runs
  backward_in_parts(views, other);
  timer.enter(Phase::kExchange);
  at::Tensor totals = report_.sums(output);
  reducer_.reduce();  // 6  until every gradient is that of all ranks
  comm_.all_reduce(totals, ReduceOp::kSum);
  // 7  All ranks agree. Here the host waits for a device: what follows is queued, and so is the next step behind it.
  if (guard_.accept(comm_, output.loss, trained_tensors(), steps_done_, wishes, &totals)) {
    timer.enter(Phase::kOptimizer);
    // Skipped by all ranks or by none: otherwise weights and banks of the ranks would part.
    if (options_.optimizer.clip_norm > 0.0) clip();
    optimizer_->step(rate);
    encoders_.follow(momentum);
    // 8  after the loss: no key meets itself
    update_bank(batch, queries, other ? other->queries : at::Tensor(), keys, output.row_gradient);
    loss_->learn(comm_, contrast, output.negatives);
  }
  timer.leave();
  const StepMetrics metrics = report_.finish(totals, guard_.skipped(), timer);  // 9  the caller writes them down
  // A skipped step counts: schedules, ages of keys and metrics follow the number of batches.
  ++steps_done_;
  return metrics;
}

// By distances queries and keys take their forms here and nowhere before: what encoders make stays d numbers, and so do
// features, embeddings and alignment.
at::Tensor Trainer::scored(const at::Tensor& queries) const {
  return queries_of_vectors(queries, options_.head.length);
}

at::Tensor Trainer::stored(const at::Tensor& keys) const {
  return rows_of_vectors(keys, options_.head.length);
}

// All that is known of a step before its queries: made once, so that both directions of a symmetric step mean the same.
ContrastBatch Trainer::describe(const Batch& batch) {
  ContrastBatch contrast;
  contrast.ids = batch.ids;
  contrast.labels = batch.labels;
  contrast.mined_ids = batch.mined_ids;
  contrast.mined_labels = batch.mined_labels;
  contrast.shares = mesh_.whole_shares(batch.global_size);
  contrast.bank_group = &mesh_.group();
  contrast.bank_shares = mesh_.group_shares(batch.global_size);
  contrast.step = steps_done_;
  contrast.epoch = schedule_.epoch(schedule_step());
  contrast.progress = schedule_.progress(schedule_step());
  if (setup_.has_memory()) {
    const at::Tensor ids = gathered_ids(batch, comm_, contrast.shares);
    own_rows_.emplace(comm_, mesh_.group(), *bank_, ids);
    if (other_bank_) other_rows_.emplace(comm_, mesh_.group(), *other_bank_, ids);
    contrast.bank_ids = ids.narrow(0, contrast.bank_shares.first, contrast.bank_shares.total());
  } else if (setup_.has_parametric() || (setup_.masks_own_sample(options_) && !encoders_.place().device.is_cpu() &&
                                         (loss_->sampler()->meets_rows() || report_.looks_at_hard_sets()))) {
    contrast.bank_ids = gathered_ids(batch, mesh_.group(), contrast.bank_shares);
  }
  if (setup_.has_learned()) contrast.rows_tau = options_.rows_tau;
  contrast.rows_follow = setup_.has_parametric();
  contrast.only_met_rows = setup_.has_rows_that_learn() && !moves_unmet_rows(options_.rows);
  contrast.needs_accuracy = report_.needs_accuracy();
  if (report_.looks_at_hard_sets()) contrast.report_hardest = options_.telemetry_top;
  return contrast;
}

// The host looks ids up in the bank. Behind the encoder it would wait for that; here the device has only what the step
// before left it to do.
at::Tensor Trainer::gathered_ids(const Batch& batch, Communicator& ranks, const QueryShares& shares) {
  if (ranks.size() == 1) return batch.ids;
  const at::Tensor own = queued_copy(batch.ids, encoders_.place().device);
  return ranks.all_gather(own, shares.sizes).cpu();
}

at::Tensor Trainer::positive_rows(const ContrastBatch& contrast, at::ScalarType type) {
  if (own_rows_) return own_rows_->fetch().to(type);
  if (!setup_.has_parametric()) return {};
  const at::Tensor slots = contrast.bank_ids.unsqueeze(1);
  return weights_.emplace(mesh_.group(), *bank_, slots, contrast.bank_shares.sizes, type).vectors().squeeze(1);
}

void Trainer::update_bank(const Batch& batch, const at::Tensor& queries, const at::Tensor& other_queries,
                          const at::Tensor& keys, const GradientOfRows& row_gradient) {
  if (other_rows_) {
    // Each bank takes the view that its name says: queries of a view met the other one's.
    own_rows_->blend(other_queries, batch.labels, options_.bank_momentum, steps_done_);
    other_rows_->blend(queries, batch.labels, options_.bank_momentum, steps_done_);
  } else if (own_rows_) {
    own_rows_->blend(queries, batch.labels, options_.bank_momentum, steps_done_);
  } else if (setup_.has_learned()) {
    bank_->train(row_gradient, options_.rows, steps_done_);
  } else if (setup_.has_parametric()) {
    RowOptimizer rows = options_.rows;
    rows.raises = false;
    rows.rate *= schedule_.rate_share(schedule_step());
    bank_->train(sum_of(row_gradient, weights_->gradient()), rows, steps_done_);
  } else if (bank_ && bank_->kind() == BankKind::kQueue) {
    mesh_.enqueue(*bank_, keys.detach(), batch.ids, batch.labels, steps_done_, batch.global_size);
  }
}

// What makes negatives has a loss of its own, which must not slow the encoder down, nor the other way round.
void Trainer::clip() {
  std::vector<at::Tensor> tensors = trained_tensors();
  const double largest = options_.optimizer.clip_norm;
  if (loss_->generator() != nullptr) {
    const std::vector<at::Tensor> makers = loss_->generator()->parameters();
    clip_gradients(makers, largest);
    tensors.resize(tensors.size() - makers.size());
  }
  clip_gradients(tensors, largest);
}

// Its queries leave behind those of the first direction, and stages end in the order in which they began.
std::optional<Trainer::OtherDirection> Trainer::begin_other_direction(const ViewPair& views,
                                                                      const ContrastBatch& contrast) {
  if (!options_.both_directions()) return std::nullopt;
  ViewPair swapped = views.swapped();
  const at::Tensor queries = swapped.query();
  Bank* bank = other_bank_ ? other_bank_.get() : bank_.get();
  LossStep stage = loss_->begin(comm_, bank, contrast, scored(queries));
  const at::Tensor keys = other_rows_ ? other_rows_->fetch().to(queries.scalar_type()) : stored(swapped.key());
  return OtherDirection{std::move(swapped), queries, std::move(stage), keys};
}

// Gradients of the parts add up in the parameters, and only the last part's makes them final. What the loss itself
// reached, such as a learned temperature, is final already.
void Trainer::backward_in_parts(ViewPair& views, std::optional<OtherDirection>& other) {
  std::vector<ViewPair*> directions{&views};
  if (other) directions.push_back(&other->views);
  auto left = static_cast<std::int64_t>(directions.size()) * views.parts_left();
  for (ViewPair* direction : directions) {
    for (std::int64_t part = 0; part < direction->parts_left(); ++part) {
      reducer_.hold(--left > 0);
      direction->backward(part);
    }
  }
}

std::vector<NamedBank> Trainer::banks() {
  const std::vector<std::string> names = bank_names(options_);
  std::vector<NamedBank> banks;
  if (bank_) banks.push_back({bank_.get(), names.front()});
  if (other_bank_) banks.push_back({other_bank_.get(), names.back()});
  return banks;
}

std::vector<at::Tensor> Trainer::trained_tensors() const {
  std::vector<at::Tensor> tensors = encoders_.parameters();
  for (const at::Tensor& parameter : trained_with_loss(*loss_)) tensors.push_back(parameter);
  return tensors;
}

}  // namespace negatron

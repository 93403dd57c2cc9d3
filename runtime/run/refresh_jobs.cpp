#include "runtime/run/refresh_jobs.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "comm/share.h"
#include "runtime/data/orders/epoch_order.h"
#include "runtime/data/orders/similar_order.h"
#include "runtime/evaluation/features.h"
#include "runtime/metrics/step_timer.h"
#include "runtime/run/encoded_samples.h"
#include "runtime/run/mined_samples.h"
#include "samplers/bank/random_rows.h"
#include "samplers/bank/row_geometry.h"

namespace negatron {
namespace {

using Unit = RunInterval::Unit;

/// Batches counted over epochs.
std::int64_t count_of(const RunPosition& position) {
  return position.epoch * position.steps_per_epoch + position.batch_in_epoch;
}

double seconds(const StepTimer& clock) {
  constexpr double kMilliseconds = 1000.0;
  return clock.step_milliseconds() / kMilliseconds;
}

}  // namespace

bool plans_batches(const PretrainOptions& options, const ContrastSetup& setup) {
  return options.batch_order == BatchOrder::kSimilar || setup.mining().has_value();
}

RefreshJobs::RefreshJobs(const PretrainOptions& options, const ContrastSetup& setup, const PretrainData& data,
                         const ViewFormat& format, Communicator& host, Trainer& trainer)
    : options_(options),
      data_(data),
      format_(format),
      host_(host),
      trainer_(trainer),
      mining_(setup.mining()),
      orders_(options.batch_order == BatchOrder::kSimilar),
      has_index_(setup.has_index()) {}

bool RefreshJobs::due(const RunPosition& position) const {
  return (has_index_ || orders_) && count_of(position) >= until_;
}

bool RefreshJobs::index_is_due(const RunPosition& position) const {
  if (!has_index_) return false;
  if (trainer_.steps_done() == 0 || !knows_index_) return true;
  const RunInterval& every = options_.refresh_every;
  switch (every.unit) {
    case Unit::kEpochs:
      return position.batch_in_epoch == 0 && position.epoch % every.count == 0;
    case Unit::kSteps:
      return trainer_.steps_done() % every.count == 0;
    case Unit::kNever:
    case Unit::kMinutes:
      break;
  }
  return false;
}

// Example: epochs of 100 batches, an index every 3 epochs and an order every epoch. At batch 20 of epoch 4 the order is
// due next, at position 500; without orders it is the index, at position 600.
std::int64_t RefreshJobs::next_due(const RunPosition& position) const {
  std::int64_t next = std::numeric_limits<std::int64_t>::max();
  if (orders_) next = (position.epoch + 1) * position.steps_per_epoch;
  if (!has_index_) return next;
  const RunInterval& every = options_.refresh_every;
  if (every.unit == Unit::kEpochs) {
    next = std::min(next, (position.epoch / every.count + 1) * every.count * position.steps_per_epoch);
  } else if (every.unit == Unit::kSteps) {
    next = std::min(next, count_of(position) + every.count - trainer_.steps_done() % every.count);
  }
  return next;
}

std::optional<RefreshMetrics> RefreshJobs::run(RunPosition& position, const std::function<void()>& pause) {
  RefreshMetrics metrics;
  metrics.step = trainer_.steps_done();
  const bool makes_index = index_is_due(position);
  if (makes_index) {
    const StepTimer clock;
    make_index(pause);
    knows_index_ = true;
    metrics.index_seconds = seconds(clock);
  }
  if (mining_ && (makes_index || !mined_.defined())) {
    const StepTimer clock;
    // The rows say when they were made, also to a run that resumes: what is drawn is the same.
    const WrittenRows written = trainer_.bank()->written();
    const std::int64_t made_at = written.count > 0 ? written.step_sum / written.count : 0;
    mined_ = mined_samples(trainer_.bank_group(), *trainer_.bank(), trainer_.exchange(),
                           {*mining_, options_.seed, made_at}, pause);
    metrics.mining_seconds = seconds(clock);
  }
  if (orders_ && position.batch_in_epoch == 0) {
    const StepTimer clock;
    position.order = make_order(position, pause);
    metrics.order_seconds = seconds(clock);
    metrics.batch_similar = similar_in(position.epoch);
    if (data_.train->has_labels()) {
      const at::Tensor labels = data_.train->labels();
      metrics.batch_same_label = same_label_share(position.order, labels, options_.global_batch);
    }
  }
  until_ = next_due(position);
  const auto is_made = [](double seconds_taken) { return !std::isnan(seconds_taken); };
  if (!is_made(metrics.index_seconds) && !is_made(metrics.mining_seconds) && !is_made(metrics.order_seconds)) return {};
  return metrics;
}

// All rows at once, when the last one is there: a run that is left meanwhile keeps the index that it had.
void RefreshJobs::make_index(const std::function<void()>& pause) {
  Bank& bank = *trainer_.bank();
  const int ranks = bank.layout().ranks();
  const Range own = share(bank.capacity(), ranks, bank.rank());
  const at::Tensor ids = at::arange(own.begin, own.end, at::kLong);
  const std::int64_t most = share(bank.capacity(), ranks, 0).size();
  const SampleEncoding encoding{*data_.train, format_, bank.options().dtype, bank.options().length};
  const at::Tensor rows = encoded_samples(host_, trainer_.encoders(), encoding, ids, most, pause);
  if (own.size() == 0) return;
  at::Tensor vectors = rows;
  at::Tensor labels = labels_of(*data_.train, ids);
  // What stands in for a broken image has a row of its own: the broken one keeps a random row without a label, near
  // nothing, and is not met as if it were another sample.
  const at::Tensor is_broken = data_.train->stand_ins(ids) != ids;
  if (is_broken.any().item<bool>()) {
    const at::Tensor random = random_unit_rows(options_.seed, own.begin, own.size(), options_.head.output);
    vectors = at::where(is_broken.unsqueeze(1).to(rows.device()),
                        rows_of_vectors(random, bank.options().length).to(rows.options()), rows);
    if (labels.defined()) labels = labels.masked_fill(is_broken, -1);
  }
  bank.replace(ids - own.begin, vectors, labels, trainer_.steps_done());
}

double RefreshJobs::similar_in(std::int64_t epoch) const {
  const auto last = static_cast<double>(std::max<std::int64_t>(1, options_.epochs - 1));
  return options_.batch_similar * std::min(1.0, static_cast<double>(epoch) / last);
}

at::Tensor RefreshJobs::make_order(const RunPosition& position, const std::function<void()>& pause) {
  const std::int64_t count = data_.train->size();
  const double similar = similar_in(position.epoch);
  if (similar <= 0.0) return epoch_order(count, options_.seed, position.epoch);
  const SimilarBatches batches{options_.global_batch, similar, options_.seed, position.epoch};
  const Bank* bank = trainer_.bank();
  if (bank != nullptr && rows_have_samples(bank->kind())) {
    at::Tensor rows = bank->shard().rows.vectors.cpu();
    // Alike are samples of one direction, and not those with long rows.
    if (bank->options().length != RowLength::kUnit) rows = unit_rows(rows);
    at::Tensor order = similar_order(trainer_.bank_group(), rows, count, batches, pause);
    // Copies of the bank may differ in their last bits where machines do: one order for all.
    host_.broadcast(order, 0);
    return order;
  }
  const Range own = share(count, host_.size(), host_.rank());
  const at::Tensor ids = at::arange(own.begin, own.end, at::kLong);
  const SampleEncoding encoding{*data_.train, format_};
  const std::int64_t most = share(count, host_.size(), 0).size();
  at::Tensor rows = encoded_samples(host_, trainer_.encoders(), encoding, ids, most, pause);
  rows = rows.defined() ? rows.cpu() : at::zeros({0, options_.head.output});
  return similar_order(host_, rows, count, batches, pause);
}

}  // namespace negatron

#include "runtime/training/step_report.h"

#include <algorithm>
#include <cmath>

#include "runtime/training/row_ages.h"
#include "samplers/contrast/hard_set_report.h"

namespace negatron {
namespace {

std::vector<std::string> names_in(const std::map<std::string, at::Tensor>& sums) {
  std::vector<std::string> names;
  for (const auto& [name, sum] : sums) names.push_back(name);
  return names;
}

std::string age_sum(std::int64_t bucket) {
  return "rows_of_age_" + std::to_string(bucket);
}

/// Rows that no step wrote have no age.
std::map<std::int64_t, std::int64_t> rows_by_age(const BankLayout& layout, std::int64_t step) {
  std::map<std::int64_t, std::int64_t> rows;
  for (const BankBatch& batch : layout.batches()) {
    if (batch.step >= 0) rows[step - batch.step] += batch.end() - std::max(batch.start, layout.floor());
  }
  return rows;
}

}  // namespace

StepReport::StepReport(const StepReportOptions& options, Communicator& comm, Communicator& group, const Bank* bank,
                       ContrastiveLoss& loss)
    : options_(options), comm_(comm), group_(group), bank_(bank), loss_(loss) {}

void StepReport::begin(const Batch& batch, std::int64_t step, double epoch, double learning_rate, double momentum) {
  epoch_ = epoch;
  comm_.traffic().start_step();
  if (&group_ != &comm_) group_.traffic().start_step();
  begun_ = {};
  begun_.step = step;
  begun_.epoch = batch.epoch;
  begun_.learning_rate = learning_rate;
  begun_.momentum = momentum;
  queries_ = static_cast<double>(batch.global_size);
  labels_ = batch.labels;
  searches_before_ = loss_.exchange().hard_set_search().searches();
}

bool StepReport::looks_at_hard_sets() const {
  return bank_ != nullptr && options_.hard_sets_every > 0 && begun_.step % options_.hard_sets_every == 0;
}

// Sums travel and not means, because ranks may hold batches of different sizes: the mean of means would count a query
// of a smaller batch more. All sums of a step are one message. Which names there are follows from options, sampler and
// objective, which every rank has alike, so their order in it is the same everywhere. Example: with 2 ranks of 3 and 2
// queries, of which 3 and 1 are right, "correct" comes back as 4, and the proxy accuracy is 4 / 5.
at::Tensor StepReport::sums(const ContrastOutput& output) {
  const NegativeResult& negatives = output.negatives;
  sums_ = {};
  sums_.add("loss", output.loss);
  sums_.add("positive_similarity", output.positive_similarity);
  sums_.add("negative_similarity", output.negative_similarity);
  sums_.add("correct", output.correct);
  if (rows_stay_here()) add_written_rows(sums_, *bank_);
  if (rows_stay_here() && tells_ages()) add_ages();
  anchor_sums_ = names_in(output.metrics);
  sums_.add(output.metrics);
  has_mixes_ = negatives.mix_count.defined();
  if (has_mixes_) {
    sums_.add("mixes", negatives.mix_count.sum());
    sums_.add("mix_score", negatives.mix_score_sum.sum());
  }
  hard_set_sums_.clear();
  if (looks_at_hard_sets()) {
    const auto look = report_hard_sets(group_, *bank_, negatives, labels_, begun_.step, last_look_);
    last_look_ = begun_.step;
    hard_set_sums_ = names_in(look);
    sums_.add(look);
  }
  return sums_.stacked();
}

StepMetrics StepReport::finish(const at::Tensor& totals, std::int64_t skipped, const StepTimer& timer) {
  sums_.set(totals);
  StepMetrics metrics = begun_;
  describe_loss(metrics);
  describe_bank(metrics);
  describe_sampler(metrics);
  // Read last, so that the bytes of this report's own message are among them.
  metrics.skipped_steps = skipped;
  metrics.traffic = traffic();
  metrics.phases = timer.milliseconds();
  metrics.step_milliseconds = timer.step_milliseconds();
  metrics.images_per_second = queries_ / (metrics.step_milliseconds / 1000.0);
  return metrics;
}

// The loss is not divided: each rank's part is its share of the mean over the global batch already.
void StepReport::describe_loss(StepMetrics& metrics) const {
  metrics.loss = sums_["loss"];
  metrics.positive_similarity = sums_["positive_similarity"] / queries_;
  metrics.negative_similarity = sums_["negative_similarity"] / queries_;
  metrics.proxy_accuracy = sums_["correct"] / queries_;
  metrics.temperature = loss_.objective().temperature();
  const double anchors = options_.anchors_per_query * queries_;
  for (const std::string& name : anchor_sums_) metrics.method[name] = sums_[name] / anchors;
}

void StepReport::describe_bank(StepMetrics& metrics) const {
  metrics.bank_fill = metrics.bank_age = std::nan("");
  if (bank_ == nullptr) return;
  metrics.bank_fill = static_cast<double>(bank_->filled()) / static_cast<double>(bank_->capacity());
  metrics.bank_age = rows_stay_here() ? mean_age_of_written_rows(sums_, metrics.step) : bank_->mean_age(metrics.step);
  if (tells_ages()) {
    metrics.rows_by_age = rows_stay_here() ? summed_ages() : rows_by_age(bank_->layout(), metrics.step);
    metrics.ages_together = ages_together_;
  }
  if (has_mixes_) {
    const double mixes = sums_["mixes"];
    metrics.method["mixes_per_query"] = mixes / queries_;
    metrics.method["mix_score"] = mixes > 0.0 ? sums_["mix_score"] / mixes : std::nan("");
  }
  for (const std::string& name : hard_set_sums_) {
    if (name != "queries") metrics.method[name] = sums_[name] / sums_["queries"];
  }
  const HardSetSearch& search = loss_.exchange().hard_set_search();
  if (search.searches() > searches_before_) metrics.method["hard_set_fallback"] = search.last_fallback_rate();
}

void StepReport::add_ages() {
  // How wide buckets are is decided by the oldest row of all, so that every rank counts into the same ones.
  const at::Tensor oldest =
      at::full({1}, oldest_age(*bank_, begun_.step), bank_->shard().rows.vectors.options().dtype(at::kLong));
  group_.all_reduce(oldest, ReduceOp::kMax);
  ages_together_ = oldest.item<std::int64_t>() / kAgeBuckets + 1;
  const at::Tensor counts = ages_of_rows(*bank_, begun_.step, ages_together_);
  for (std::int64_t i = 0; i < kAgeBuckets; ++i) sums_.add(age_sum(i), counts[i]);
}

std::map<std::int64_t, std::int64_t> StepReport::summed_ages() const {
  std::map<std::int64_t, std::int64_t> rows;
  const double copies = static_cast<double>(comm_.size()) / group_.size();
  for (std::int64_t i = 0; i < kAgeBuckets; ++i) {
    const auto count = std::llround(sums_[age_sum(i)] / copies);
    if (count > 0) rows[i * ages_together_] = count;
  }
  return rows;
}

void StepReport::describe_sampler(StepMetrics& metrics) {
  NegativeSampler* sampler = loss_.sampler();
  if (sampler == nullptr) return;
  sampler->observe({metrics.step, metrics.loss, metrics.proxy_accuracy, epoch_});
  for (const auto& [name, value] : sampler->metrics()) metrics.method[name] = value;
}

std::map<std::string, Traffic> StepReport::traffic() const {
  std::map<std::string, Traffic> traffic = comm_.traffic().step();
  // With as many shards as ranks the group is the whole job, whose traffic must not count twice.
  if (&group_ == &comm_) return traffic;
  for (const auto& [operation, part] : group_.traffic().step()) {
    Traffic& whole = traffic[operation];
    whole.calls += part.calls;
    whole.bytes_sent += part.bytes_sent;
    whole.bytes_received += part.bytes_received;
    whole.bytes_staged += part.bytes_staged;
  }
  return traffic;
}

}  // namespace negatron

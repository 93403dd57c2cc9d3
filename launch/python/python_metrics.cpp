// What a ProgramLoss tells of its last step.

#include <utility>

#include "launch/python/python_loss.h"
#include "runtime/training/row_ages.h"
#include "runtime/training/step_sums.h"

namespace negatron::python {

// Sums travel and not means: ranks may have different numbers of queries. All in one message, as step_report.cpp does.
void ProgramLoss::measure(Communicator& comm, const ContrastBatch& batch, const ContrastOutput& output, bool trains) {
  StepSums sums;
  sums.add("loss", output.loss.detach());
  sums.add("positive_similarity", output.positive_similarity);
  sums.add("negative_similarity", output.negative_similarity);
  sums.add("accuracy", output.correct);
  sums.add(output.metrics);
  const bool rows_stay_here = setup_.has_bank() && rows_stay(bank_->bank().kind());
  if (rows_stay_here) add_written_rows(sums, bank_->bank());
  at::Tensor totals = sums.stacked();
  comm.all_reduce(totals, ReduceOp::kSum);
  sums.set(totals);
  const auto queries = static_cast<double>(batch.shares.total());
  const bool keys_are_anchors = setup_.source == NegativeSource::kBatch && !setup_.objective.queries_only;
  std::map<std::string, double> found;
  found["loss"] = sums["loss"];
  for (const char* name : {"positive_similarity", "negative_similarity", "accuracy"}) {
    found[name] = sums[name] / queries;
  }
  for (const auto& [name, sum] : output.metrics) found[name] = sums[name] / (keys_are_anchors ? 2.0 : 1.0) / queries;
  found["temperature"] = loss_->objective().temperature();
  if (setup_.has_bank()) {
    const Bank& bank = bank_->bank();
    found["bank_fill"] = static_cast<double>(bank.filled()) / static_cast<double>(bank.capacity());
    found["bank_age"] = rows_stay_here ? mean_age_of_written_rows(sums, batch.step) : bank.mean_age(batch.step);
  }
  NegativeSampler* sampler = loss_->sampler();
  if (sampler != nullptr && trains) {
    sampler->observe({batch.step, found["loss"], found["accuracy"], batch.epoch});
    loss_->learn(comm, batch, output.negatives);
  }
  if (sampler != nullptr) {
    for (const auto& [name, value] : sampler->metrics()) found[name] = value;
  }
  const std::lock_guard lock(metrics_mutex_);
  metrics_ = std::move(found);
}

// Where a program logs, it may do so beside its steps.
std::map<std::string, double> ProgramLoss::metrics() const {
  const std::lock_guard lock(metrics_mutex_);
  return metrics_;
}

}  // namespace negatron::python

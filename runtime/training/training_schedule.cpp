#include "runtime/training/training_schedule.h"

#include <cmath>

namespace negatron {
namespace {

LearningRateOptions learning_rate_options(const PretrainOptions& options, std::int64_t steps_per_epoch) {
  LearningRateOptions rate;
  rate.base = options.learning_rate;
  rate.minimum = options.minimum_learning_rate;
  // The warm-up may be part of an epoch: 0.5 epochs of 235 steps are 118 steps, rounded from 117.5.
  rate.warmup_steps = std::llround(options.warmup_epochs * static_cast<double>(steps_per_epoch));
  // All epochs count, also where --max-steps ends the run early: a run that is cut short and resumed sees the same
  // rates.
  rate.total_steps = options.epochs * steps_per_epoch;
  rate.global_batch = options.global_batch;
  return rate;
}

}  // namespace

TrainingSchedule::TrainingSchedule(const PretrainOptions& options, std::int64_t steps_per_epoch)
    : steps_per_epoch_(steps_per_epoch),
      total_steps_(options.epochs * steps_per_epoch),
      learning_rate_(learning_rate_options(options, steps_per_epoch)),
      momentum_{options.momentum_start, options.momentum_schedule, total_steps_} {}

double TrainingSchedule::epoch(std::int64_t step) const noexcept {
  return static_cast<double>(step) / static_cast<double>(steps_per_epoch_);
}

double TrainingSchedule::progress(std::int64_t step) const noexcept {
  return static_cast<double>(step) / static_cast<double>(total_steps_);
}

}  // namespace negatron

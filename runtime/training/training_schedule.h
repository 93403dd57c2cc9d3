#pragma once

#include <cstdint>

#include "runtime/training/pretrain_options.h"
#include "runtime/training/schedule.h"

namespace negatron {

/// All of a run that follows the number of its step, counted from 0, and nothing else. Local; equal on every rank.
class TrainingSchedule {
 public:
  /// The schedules span all epochs, also of a run that ends early. `options` are valid.
  TrainingSchedule(const PretrainOptions& options, std::int64_t steps_per_epoch);

  double learning_rate(std::int64_t step) const noexcept { return learning_rate_.at(step); }
  /// What the learning rate is of its peak, 0 to 1: as that of what is trained at a rate of its own beside.
  double rate_share(std::int64_t step) const noexcept { return learning_rate_.at(step) / learning_rate_.peak(); }
  /// Momentum of the key encoder, 0 to 1.
  double momentum(std::int64_t step) const noexcept { return momentum_at(momentum_, step); }
  /// Epochs done before the step, with the part of the one that runs.
  double epoch(std::int64_t step) const noexcept;
  /// Share of the whole schedule that is done before the step: 0 at the start, 1 behind the last epoch.
  double progress(std::int64_t step) const noexcept;

 private:
  std::int64_t steps_per_epoch_;
  std::int64_t total_steps_;
  LearningRateSchedule learning_rate_;
  MomentumOptions momentum_;
};

}  // namespace negatron

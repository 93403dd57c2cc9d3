#include "runtime/training/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <stdexcept>
#include <string>

namespace negatron {
namespace {

/// Half a cosine from 1 at 0 to 0 at 1, and flat outside.
double cosine_decay(double progress) noexcept {
  return 0.5 * (1.0 + std::cos(std::numbers::pi * std::clamp(progress, 0.0, 1.0)));
}

}  // namespace

void LearningRateOptions::validate() const {
  if (!(base > 0.0)) throw std::invalid_argument("--lr must be above 0, got " + std::to_string(base) + ".");
  if (!(minimum >= 0.0))
    throw std::invalid_argument("--min-lr must be at least 0, got " + std::to_string(minimum) + ".");
  if (warmup_steps < 0) throw std::invalid_argument("The warm-up (--warmup-epochs) must not be negative.");
  if (total_steps < 1) throw std::invalid_argument("There must be at least one training step (--epochs, --max-steps).");
  if (global_batch < 1) throw std::invalid_argument("--global-batch must be at least 1.");
  const double peak = base * static_cast<double>(global_batch) / kReferenceBatch;
  if (minimum > peak) {
    throw std::invalid_argument("--min-lr " + std::to_string(minimum) + " is above the peak learning rate " +
                                std::to_string(peak) + " (--lr times --global-batch / 256).");
  }
}

LearningRateSchedule::LearningRateSchedule(const LearningRateOptions& options) : options_(options) {
  options.validate();
  peak_ = options.base * static_cast<double>(options.global_batch) / LearningRateOptions::kReferenceBatch;
}

// Example: --lr 0.06 at a global batch of 512 has its peak at 0.12. With 4 warm-up steps of 12, steps 0 to 3 have 0.03,
// 0.06, 0.09 and 0.12, step 4 begins the cosine at 0.12, step 8 is half way at 0.06, and the last one, 11, has 0.0046.
double LearningRateSchedule::at(std::int64_t step) const noexcept {
  const std::int64_t warmup = options_.warmup_steps;
  if (step < warmup) return peak_ * static_cast<double>(step + 1) / static_cast<double>(warmup);
  // At least 1: where the warm-up takes up the whole run, a step after it must not divide by 0.
  const std::int64_t cosine_steps = std::max<std::int64_t>(options_.total_steps - warmup, 1);
  const double progress = static_cast<double>(step - warmup) / static_cast<double>(cosine_steps);
  return options_.minimum + (peak_ - options_.minimum) * cosine_decay(progress);
}

void MomentumOptions::validate() const {
  if (!(start >= 0.0 && start <= 1.0)) {
    throw std::invalid_argument("--key-momentum must lie in [0, 1], got " + std::to_string(start) + ".");
  }
  if (schedule == MomentumSchedule::kCosine && total_steps < 1) {
    throw std::invalid_argument("A cosine key momentum needs at least one training step (--epochs, --max-steps).");
  }
}

// Example: from 0.99 over 100 steps the cosine gives 0.99 at step 0, 0.995 at step 50 and would reach 1 at step 100.
double momentum_at(const MomentumOptions& options, std::int64_t step) noexcept {
  if (options.schedule == MomentumSchedule::kConstant) return options.start;
  return 1.0 -
         (1.0 - options.start) * cosine_decay(static_cast<double>(step) / static_cast<double>(options.total_steps));
}

}  // namespace negatron

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

double LearningRateSchedule::at(std::int64_t step) const noexcept {
  const std::int64_t warmup = options_.warmup_steps;
  if (step < warmup) return peak_ * static_cast<double>(step + 1) / static_cast<double>(warmup);
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

double momentum_at(const MomentumOptions& options, std::int64_t step) noexcept {
  if (options.schedule == MomentumSchedule::kConstant) return options.start;
  return 1.0 -
         (1.0 - options.start) * cosine_decay(static_cast<double>(step) / static_cast<double>(options.total_steps));
}

}  // namespace negatron

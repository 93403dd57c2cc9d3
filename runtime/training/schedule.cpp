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
  // Comparisons are written so that a NaN fails them.
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

// Example: base 0.06 and a global batch of 512 give a peak of 0.12. With 4 warm-up steps and 12 in all:
//  step   0     1     2     3     4     8     10      11      12
//  rate   0.03  0.06  0.09  0.12  0.12  0.06  0.0176  0.0046  0
// The peak is met twice: the last warm-up step reaches it, and the cosine begins there. Step 8 is half of the cosine,
// and steps behind the end, which a resumed run may take, stay at the minimum.
double LearningRateSchedule::at(std::int64_t step) const noexcept {
  const std::int64_t warmup = options_.warmup_steps;
  if (step < warmup) return peak_ * static_cast<double>(step + 1) / static_cast<double>(warmup);
  // A warm-up that fills the whole schedule leaves no cosine: 1 avoids 0 / 0 for the step behind it.
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

// Example: a start of 0.99 and 100 steps give 0.99 in step 0, 0.995 in step 50 and 1 in step 100, when the key
// encoder would stand still.
double momentum_at(const MomentumOptions& options, std::int64_t step) noexcept {
  if (options.schedule == MomentumSchedule::kConstant) return options.start;
  return 1.0 -
         (1.0 - options.start) * cosine_decay(static_cast<double>(step) / static_cast<double>(options.total_steps));
}

}  // namespace negatron

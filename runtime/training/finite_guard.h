#pragma once

#include <cstdint>
#include <vector>

#include <ATen/ATen.h>

#include "comm/communicator.h"
#include "runtime/training/step_wishes.h"

namespace negatron {

/// Decides, for all ranks alike, whether a step may be applied, and ends a run that has stopped making sense.
class FiniteGuard {
 public:
  /// Throws std::invalid_argument naming --max-skipped-steps when it is below 0.
  explicit FiniteGuard(std::int64_t max_consecutive);

  /// Collective: one all_reduce of one int32, or of four with `wishes`, which then come back as those of any rank: the
  /// ranks agree on them in the message that they exchange anyway. True when `loss` and every defined gradient of
  /// `parameters` are finite on every rank; otherwise the step is counted and every rank must skip it. Call after the
  /// gradients were reduced.
  /// The host waits once for the device of `loss`. `sums` (may be null), [n] fp64 there, come to the host by the same
  /// copy.
  /// Throws TrainingError on every rank when more than `max_consecutive` steps in a row were not finite.
  bool accept(Communicator& communicator, const at::Tensor& loss, const std::vector<at::Tensor>& parameters,
              std::int64_t step, StepWishes* wishes = nullptr, at::Tensor* sums = nullptr);
  /// The counts below, as an earlier run left them.
  void restore(std::int64_t skipped, std::int64_t consecutive);

  /// Steps skipped so far.
  std::int64_t skipped() const noexcept { return skipped_; }
  /// Of these, the ones since the last good step.
  std::int64_t consecutive() const noexcept { return consecutive_; }

 private:
  std::int64_t max_consecutive_;
  std::int64_t skipped_ = 0;
  std::int64_t consecutive_ = 0;
};

}  // namespace negatron

#include "runtime/training/finite_guard.h"

#include <string>

#include "comm/queued_copy.h"
#include "runtime/training/training_error.h"

namespace negatron {
namespace {

/// [any], not finite where an element of a gradient is not: a maximum hands on NaN as well as infinity. The largest
/// magnitude and not the 2-norm, since the square of a large finite gradient overflows.
at::Tensor extremes(const std::vector<at::Tensor>& gradients) {
  std::vector<at::Tensor> found;
  if (gradients.front().is_cpu()) {
    // There the norm below takes five times as long: 43 ms of a ResNet-18's gradients on one core.
    for (const at::Tensor& gradient : gradients) {
      const auto [least, most] = at::aminmax(gradient);
      found.push_back(least);
      found.push_back(most);
    }
  } else {
    found = at::_foreach_norm(gradients, std::numeric_limits<double>::infinity());
  }
  return at::stack(found);
}

/// int32 scalar on the device of `loss`: 1 when everything is finite. No host synchronisation.
at::Tensor finite_flag(const at::Tensor& loss, const std::vector<at::Tensor>& parameters) {
  std::vector<at::Tensor> gradients;
  for (const at::Tensor& parameter : parameters) {
    if (parameter.grad().defined()) gradients.push_back(parameter.grad());
  }
  at::Tensor finite = at::isfinite(loss.detach()).all();
  if (!gradients.empty()) finite = finite.logical_and(at::isfinite(extremes(gradients)).all());
  return finite.to(at::kInt).reshape({1});
}

/// Example: rank 0 is finite and wishes nothing, [1, 1, 1, 1]; rank 1 is finite and wishes a snapshot, [1, 0, 1, 1].
/// The minimum [1, 0, 1, 1] tells both to take the step and then to save.
///
/// [4] int32 on the device of `finite`: 0 for what is wished, so that the minimum over ranks is what any of them
/// wishes.
at::Tensor with_wishes(const at::Tensor& finite, const StepWishes& wishes) {
  const std::vector<std::int32_t> absent = {wishes.snapshot ? 0 : 1, wishes.leave ? 0 : 1, wishes.stop ? 0 : 1};
  return at::cat({finite, queued_copy(at::tensor(absent, at::kInt), finite.device())});
}

}  // namespace

FiniteGuard::FiniteGuard(std::int64_t max_consecutive) : max_consecutive_(max_consecutive) {
  if (max_consecutive < 0) {
    throw std::invalid_argument("--max-skipped-steps must be at least 0, got " + std::to_string(max_consecutive) + ".");
  }
}

bool FiniteGuard::accept(Communicator& communicator, const at::Tensor& loss, const std::vector<at::Tensor>& parameters,
                         std::int64_t step, StepWishes* wishes, at::Tensor* sums) {
  const at::NoGradGuard no_grad;
  at::Tensor flags = finite_flag(loss, parameters);
  if (wishes != nullptr) flags = with_wishes(flags, *wishes);
  // One small collective decides for all ranks: a step that any rank must skip is skipped by all, or their weights
  // would part. Wishes travel in the same message and so cost nothing, and signals, which reach ranks at different
  // moments, take effect in the same step everywhere.
  communicator.all_reduce(flags, ReduceOp::kMin);
  // Flags are small whole numbers, which fp64 holds as they are.
  const at::Tensor on_device = flags.to(at::kDouble);
  const at::Tensor host = (sums != nullptr ? at::cat({on_device, *sums}) : on_device).cpu();
  if (sums != nullptr) *sums = host.narrow(0, flags.size(0), host.size(0) - flags.size(0));
  const auto* flag = host.const_data_ptr<double>();
  if (wishes != nullptr) *wishes = {flag[1] == 0.0, flag[2] == 0.0, flag[3] == 0.0};
  if (flag[0] == 1.0) {
    consecutive_ = 0;
    return true;
  }
  ++skipped_;
  ++consecutive_;
  // The counts are equal on every rank, so that all of them throw in the same step.
  if (consecutive_ > max_consecutive_) {
    throw TrainingError("Step " + std::to_string(step) + ": loss or gradient was not finite in " +
                        std::to_string(consecutive_) + " steps in a row, " + std::to_string(max_consecutive_) +
                        " are allowed (--max-skipped-steps); a lower --lr or a higher --tau may help.");
  }
  return false;
}

void FiniteGuard::restore(std::int64_t skipped, std::int64_t consecutive) {
  skipped_ = skipped;
  consecutive_ = consecutive;
}

}  // namespace negatron

#include "runtime/training/lars.h"

namespace negatron {
namespace {

constexpr const char* kVelocity = "lars_momentum";

}  // namespace

Lars::Lars(const TrainedGroups& groups, const OptimizerOptions& options) : groups_(groups), options_(options) {}

void Lars::step(double learning_rate) {
  const at::NoGradGuard no_grad;
  for (at::Tensor& parameter : groups_.decayed) {
    if (!parameter.grad().defined()) continue;
    const at::Tensor direction = parameter.grad().add(parameter, options_.weight_decay);
    const at::Tensor size = parameter.norm(), length = direction.norm();
    // On the device, without a look at the numbers from the host.
    const at::Tensor factor = at::where((size > 0.0).logical_and(length > 0.0),
                                        options_.trust_coefficient * size / length, at::ones_like(size));
    move(parameter, direction * factor, learning_rate);
  }
  for (at::Tensor& parameter : groups_.plain) {
    if (parameter.grad().defined()) move(parameter, parameter.grad(), learning_rate);
  }
}

void Lars::move(at::Tensor& parameter, const at::Tensor& direction, double learning_rate) {
  at::Tensor& velocity = velocities_[parameter.unsafeGetTensorImpl()];
  if (!velocity.defined()) velocity = at::zeros_like(parameter);
  velocity.mul_(options_.momentum).add_(direction);
  parameter.add_(velocity, -learning_rate);
}

std::vector<Optimizer::Memory> Lars::memories() const {
  return {Memory{kVelocity}};
}

Optimizer::Remembered Lars::remembered(const at::Tensor& parameter) const {
  const auto found = velocities_.find(parameter.unsafeGetTensorImpl());
  if (found == velocities_.end()) return {};
  return {{kVelocity, found->second}};
}

void Lars::restore(const at::Tensor& parameter, const Remembered& saved) {
  velocities_.erase(parameter.unsafeGetTensorImpl());
  const auto velocity = saved.find(kVelocity);
  if (velocity == saved.end()) return;
  velocities_[parameter.unsafeGetTensorImpl()] =
      velocity->second.to(parameter.device(), parameter.scalar_type(), false, /*copy=*/true);
}

}  // namespace negatron

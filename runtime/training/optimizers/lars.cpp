#include "runtime/training/optimizers/lars.h"

#include "runtime/training/optimizers/moved_together.h"

namespace negatron {
namespace {

/// trust |p| / |d| of each tensor, [tensors], on the device and without a look at the numbers from the host.
at::Tensor trust_factors(const Moving& moving, const std::vector<at::Tensor>& directions, double trust) {
  const at::Tensor sizes = at::stack(at::_foreach_norm(moving.parameters, 2.0));
  const at::Tensor lengths = at::stack(at::_foreach_norm(directions, 2.0));
  return at::where((sizes > 0.0).logical_and(lengths > 0.0), trust * sizes / lengths, at::ones_like(sizes));
}

}  // namespace

Lars::Lars(const TrainedGroups& groups, const OptimizerOptions& options)
    : options_(options),
      decayed_(moved_together(groups.decayed)),
      plain_(moved_together(groups.plain)),
      velocities_("lars_momentum") {}

void Lars::step(double learning_rate) {
  const at::NoGradGuard no_grad;
  for (const auto& tensors : decayed_) {
    const Moving moving = Moving::of(tensors);
    if (moving.parameters.empty()) continue;
    std::vector<at::Tensor> directions = at::_foreach_add(moving.gradients, moving.parameters, options_.weight_decay);
    at::_foreach_mul_(directions, trust_factors(moving, directions, options_.trust_coefficient).unbind());
    move(moving.parameters, directions, learning_rate);
  }
  for (const auto& tensors : plain_) {
    const Moving moving = Moving::of(tensors);
    if (!moving.parameters.empty()) move(moving.parameters, moving.gradients, learning_rate);
  }
}

void Lars::move(const std::vector<at::Tensor>& parameters, const std::vector<at::Tensor>& directions,
                double learning_rate) {
  std::vector<at::Tensor> velocities;
  for (const at::Tensor& parameter : parameters) {
    at::Tensor& velocity = velocities_.of(parameter);
    if (!velocity.defined()) velocity = at::zeros_like(parameter);
    velocities.push_back(velocity);
  }
  at::_foreach_mul_(velocities, options_.momentum);
  at::_foreach_add_(velocities, directions);
  at::_foreach_add_(parameters, velocities, -learning_rate);
}

std::vector<Optimizer::Memory> Lars::memories() const {
  return {Memory{velocities_.name()}};
}

Optimizer::Remembered Lars::remembered(const at::Tensor& parameter) const {
  Remembered remembered;
  velocities_.add_to(remembered, parameter);
  return remembered;
}

void Lars::restore(const at::Tensor& parameter, const Remembered& saved) {
  velocities_.restore(parameter, saved);
}

}  // namespace negatron

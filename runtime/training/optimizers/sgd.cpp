#include "runtime/training/optimizers/sgd.h"

#include "runtime/training/optimizers/moved_together.h"

namespace negatron {

Sgd::Sgd(const TrainedGroups& groups, const OptimizerOptions& options)
    : options_(options),
      decayed_(moved_together(groups.decayed)),
      plain_(moved_together(groups.plain)),
      velocities_("momentum") {}

void Sgd::step(double learning_rate) {
  const at::NoGradGuard no_grad;
  for (const auto& tensors : decayed_) move(tensors, options_.weight_decay, learning_rate);
  for (const auto& tensors : plain_) move(tensors, 0.0, learning_rate);
}

void Sgd::move(const std::vector<at::Tensor>& tensors, double weight_decay, double learning_rate) {
  const auto [parameters, gradients] = Moving::of(tensors);
  if (parameters.empty()) return;
  std::vector<at::Tensor> directions = gradients;
  if (weight_decay != 0.0) directions = at::_foreach_add(directions, parameters, weight_decay);
  if (options_.momentum != 0.0) {
    std::vector<at::Tensor> velocities, moving, arriving;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      at::Tensor& velocity = velocities_.of(parameters[i]);
      if (velocity.defined()) {
        moving.push_back(velocity);
        arriving.push_back(directions[i]);
      } else {
        velocity = directions[i].detach().clone();
      }
      velocities.push_back(velocity);
    }
    if (!moving.empty()) {
      at::_foreach_mul_(moving, options_.momentum);
      at::_foreach_add_(moving, arriving);
    }
    directions = options_.nesterov ? at::_foreach_add(directions, velocities, options_.momentum) : velocities;
  }
  at::_foreach_add_(parameters, directions, -learning_rate);
}

std::vector<Optimizer::Memory> Sgd::memories() const {
  return {Memory{velocities_.name()}};
}

Optimizer::Remembered Sgd::remembered(const at::Tensor& parameter) const {
  Remembered remembered;
  velocities_.add_to(remembered, parameter);
  return remembered;
}

void Sgd::restore(const at::Tensor& parameter, const Remembered& saved) {
  velocities_.restore(parameter, saved);
}

}  // namespace negatron

#include "runtime/training/sgd.h"

namespace negatron {
namespace {

constexpr const char* kMomentum = "momentum";

}  // namespace

Sgd::Sgd(const TrainedGroups& groups, const OptimizerOptions& options) : options_(options) {
  const auto add = [this](const std::vector<at::Tensor>& tensors, double weight_decay) {
    for (const at::Tensor& tensor : tensors) {
      const bool joins = !groups_.empty() && groups_.back().weight_decay == weight_decay && !tensor.is_cpu() &&
                         groups_.back().parameters.front().options().type_equal(tensor.options());
      if (!joins) groups_.push_back({{}, weight_decay});
      groups_.back().parameters.push_back(tensor);
    }
  };
  add(groups.decayed, options.weight_decay);
  add(groups.plain, 0.0);
}

void Sgd::step(double learning_rate) {
  const at::NoGradGuard no_grad;
  for (const Together& group : groups_) move(group, learning_rate);
}

void Sgd::move(const Together& group, double learning_rate) {
  std::vector<at::Tensor> parameters, directions;
  for (const at::Tensor& parameter : group.parameters) {
    if (!parameter.grad().defined()) continue;
    parameters.push_back(parameter);
    directions.push_back(parameter.grad());
  }
  if (parameters.empty()) return;
  if (group.weight_decay != 0.0) directions = at::_foreach_add(directions, parameters, group.weight_decay);
  if (options_.momentum != 0.0) {
    std::vector<at::Tensor> velocities, moving, arriving;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      bool is_new = false;
      velocities.push_back(velocity_of(parameters[i], directions[i], is_new));
      if (is_new) continue;
      moving.push_back(velocities.back());
      arriving.push_back(directions[i]);
    }
    if (!moving.empty()) {
      at::_foreach_mul_(moving, options_.momentum);
      at::_foreach_add_(moving, arriving);
    }
    directions = options_.nesterov ? at::_foreach_add(directions, velocities, options_.momentum) : velocities;
  }
  at::_foreach_add_(parameters, directions, -learning_rate);
}

at::Tensor& Sgd::velocity_of(const at::Tensor& parameter, const at::Tensor& direction, bool& is_new) {
  at::Tensor& velocity = velocities_[parameter.unsafeGetTensorImpl()];
  is_new = !velocity.defined();
  if (is_new) velocity = direction.detach().clone();
  return velocity;
}

std::vector<Optimizer::Memory> Sgd::memories() const {
  return {Memory{kMomentum}};
}

Optimizer::Remembered Sgd::remembered(const at::Tensor& parameter) const {
  const auto found = velocities_.find(parameter.unsafeGetTensorImpl());
  if (found == velocities_.end()) return {};
  return {{kMomentum, found->second}};
}

void Sgd::restore(const at::Tensor& parameter, const Remembered& saved) {
  velocities_.erase(parameter.unsafeGetTensorImpl());
  const auto momentum = saved.find(kMomentum);
  if (momentum == saved.end()) return;
  velocities_[parameter.unsafeGetTensorImpl()] =
      momentum->second.to(parameter.device(), parameter.scalar_type(), false, /*copy=*/true);
}

}  // namespace negatron

#include "runtime/training/sgd.h"

namespace negatron {
namespace {

constexpr const char* kMomentum = "momentum";

std::vector<torch::optim::OptimizerParamGroup> sgd_groups(const TrainedGroups& groups,
                                                          const OptimizerOptions& options) {
  const auto group = [&options](const std::vector<at::Tensor>& tensors, double weight_decay) {
    // The rate is set before each step.
    return torch::optim::OptimizerParamGroup(
        tensors, std::make_unique<torch::optim::SGDOptions>(torch::optim::SGDOptions(0.0)
                                                                .momentum(options.momentum)
                                                                .weight_decay(weight_decay)
                                                                .nesterov(options.nesterov)));
  };
  return {group(groups.decayed, options.weight_decay), group(groups.plain, 0.0)};
}

}  // namespace

Sgd::Sgd(const TrainedGroups& groups, const OptimizerOptions& options)
    : sgd_(sgd_groups(groups, options), torch::optim::SGDOptions(0.0)) {}

void Sgd::step(double learning_rate) {
  for (torch::optim::OptimizerParamGroup& group : sgd_.param_groups()) group.options().set_lr(learning_rate);
  sgd_.step();
}

std::vector<Optimizer::Memory> Sgd::memories() const {
  return {Memory{kMomentum}};
}

Optimizer::Remembered Sgd::remembered(const at::Tensor& parameter) const {
  const auto found = sgd_.state().find(parameter.unsafeGetTensorImpl());
  if (found == sgd_.state().end()) return {};
  const at::Tensor& momentum = static_cast<const torch::optim::SGDParamState&>(*found->second).momentum_buffer();
  if (!momentum.defined()) return {};
  return {{kMomentum, momentum}};
}

void Sgd::restore(const at::Tensor& parameter, const Remembered& saved) {
  sgd_.state().erase(parameter.unsafeGetTensorImpl());
  const auto momentum = saved.find(kMomentum);
  if (momentum == saved.end()) return;
  auto state = std::make_unique<torch::optim::SGDParamState>();
  state->momentum_buffer(momentum->second.to(parameter.device(), parameter.scalar_type(), false, /*copy=*/true));
  sgd_.state()[parameter.unsafeGetTensorImpl()] = std::move(state);
}

}  // namespace negatron

#include "runtime/training/adamw.h"

namespace negatron {
namespace {

constexpr const char* kMean = "adam_mean";
constexpr const char* kSquare = "adam_square";
constexpr const char* kSteps = "adam_steps";

std::vector<torch::optim::OptimizerParamGroup> adamw_groups(const TrainedGroups& groups,
                                                            const OptimizerOptions& options) {
  const auto group = [&options](const std::vector<at::Tensor>& tensors, double weight_decay) {
    // The rate is set before each step.
    return torch::optim::OptimizerParamGroup(
        tensors, std::make_unique<torch::optim::AdamWOptions>(
                     torch::optim::AdamWOptions(0.0).betas({options.beta1, options.beta2}).weight_decay(weight_decay)));
  };
  return {group(groups.decayed, options.weight_decay), group(groups.plain, 0.0)};
}

}  // namespace

AdamW::AdamW(const TrainedGroups& groups, const OptimizerOptions& options)
    : adamw_(adamw_groups(groups, options), torch::optim::AdamWOptions(0.0)) {}

void AdamW::step(double learning_rate) {
  for (torch::optim::OptimizerParamGroup& group : adamw_.param_groups()) group.options().set_lr(learning_rate);
  adamw_.step();
}

std::vector<Optimizer::Memory> AdamW::memories() const {
  return {Memory{kMean}, Memory{kSquare}, Memory{kSteps, /*is_count=*/true}};
}

Optimizer::Remembered AdamW::remembered(const at::Tensor& parameter) const {
  const auto found = adamw_.state().find(parameter.unsafeGetTensorImpl());
  if (found == adamw_.state().end()) return {};
  const auto& state = static_cast<const torch::optim::AdamWParamState&>(*found->second);
  return {{kMean, state.exp_avg()}, {kSquare, state.exp_avg_sq()}, {kSteps, at::full({}, state.step(), at::kLong)}};
}

void AdamW::restore(const at::Tensor& parameter, const Remembered& saved) {
  adamw_.state().erase(parameter.unsafeGetTensorImpl());
  if (saved.empty()) return;
  const auto copy = [&](const char* name) {
    return saved.at(name).to(parameter.device(), parameter.scalar_type(), false, /*copy=*/true);
  };
  auto state = std::make_unique<torch::optim::AdamWParamState>();
  state->step(saved.at(kSteps).item<std::int64_t>());
  state->exp_avg(copy(kMean));
  state->exp_avg_sq(copy(kSquare));
  adamw_.state()[parameter.unsafeGetTensorImpl()] = std::move(state);
}

}  // namespace negatron

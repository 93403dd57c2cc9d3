#include "runtime/training/optimizers/optimizer.h"

#include <stdexcept>

#include "comm/require.h"
#include "runtime/training/optimizers/adamw.h"
#include "runtime/training/optimizers/lars.h"
#include "runtime/training/optimizers/sgd.h"

namespace negatron {

void OptimizerOptions::validate() const {
  require(momentum >= 0.0 && momentum < 1.0,
          "--sgd-momentum must lie in [0, 1), got " + std::to_string(momentum) + ".");
  require(weight_decay >= 0.0, "--weight-decay must be at least 0, got " + std::to_string(weight_decay) + ".");
  require(!nesterov || momentum > 0.0, "--nesterov needs --sgd-momentum above 0.");
  require(!nesterov || kind == OptimizerKind::kSgd, "--nesterov goes with --optimizer sgd.");
  require(trust_coefficient > 0.0, "--lars-trust must be above 0.");
  require(beta1 >= 0.0 && beta1 < 1.0, "--adam-beta1 must lie in [0, 1).");
  require(beta2 >= 0.0 && beta2 < 1.0, "--adam-beta2 must lie in [0, 1).");
  require(clip_norm >= 0.0, "--clip-norm must be at least 0 (0 means never).");
}

TrainedGroups TrainedGroups::of(const torch::nn::Module& module, const std::vector<at::Tensor>& others) {
  TrainedGroups groups;
  for (const at::Tensor& parameter : module.parameters()) {
    (parameter.dim() >= 2 ? groups.decayed : groups.plain).push_back(parameter);
  }
  groups.plain.insert(groups.plain.end(), others.begin(), others.end());
  return groups;
}

std::unique_ptr<Optimizer> make_optimizer(const torch::nn::Module& module, const std::vector<at::Tensor>& others,
                                          const OptimizerOptions& options) {
  options.validate();
  const TrainedGroups groups = TrainedGroups::of(module, others);
  switch (options.kind) {
    case OptimizerKind::kSgd:
      return std::make_unique<Sgd>(groups, options);
    case OptimizerKind::kLars:
      return std::make_unique<Lars>(groups, options);
    case OptimizerKind::kAdamW:
      return std::make_unique<AdamW>(groups, options);
  }
  throw std::logic_error("An optimizer of no known kind.");
}

void clip_gradients(const std::vector<at::Tensor>& parameters, double largest) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> gradients;
  for (const at::Tensor& parameter : parameters) {
    if (parameter.grad().defined()) gradients.push_back(parameter.grad());
  }
  if (gradients.empty()) return;
  const at::Tensor norm = at::stack(at::_foreach_norm(gradients, 2.0)).norm();
  // As torch's clip_grad_norm_: a norm of 0 divides by this alone.
  constexpr double kLeast = 1e-6;
  at::_foreach_mul_(gradients, (largest / (norm + kLeast)).clamp_max(1.0));
}

}  // namespace negatron

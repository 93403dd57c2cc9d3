#include "runtime/training/sgd.h"

#include <string>

namespace negatron {

void SgdOptions::validate() const {
  if (!(momentum >= 0.0 && momentum < 1.0)) {
    throw std::invalid_argument("--sgd-momentum must lie in [0, 1), got " + std::to_string(momentum) + ".");
  }
  if (!(weight_decay >= 0.0)) {
    throw std::invalid_argument("--weight-decay must be at least 0, got " + std::to_string(weight_decay) + ".");
  }
  if (nesterov && momentum == 0.0) {
    throw std::invalid_argument("--nesterov needs --sgd-momentum above 0.");
  }
}

std::unique_ptr<torch::optim::SGD> make_sgd(const torch::nn::Module& module, const std::vector<torch::Tensor>& others,
                                            const SgdOptions& options) {
  options.validate();
  std::vector<torch::Tensor> decayed;
  std::vector<torch::Tensor> plain;
  for (const torch::Tensor& parameter : module.parameters()) {
    // Weights decay; biases and the scales of norms, which have one dimension, do not, and neither does what the
    // objective learns.
    (parameter.dim() >= 2 ? decayed : plain).push_back(parameter);
  }
  plain.insert(plain.end(), others.begin(), others.end());

  const auto group_options = [&options](double weight_decay) {
    // The rate is set before each step.
    return torch::optim::SGDOptions(0.0)
        .momentum(options.momentum)
        .weight_decay(weight_decay)
        .nesterov(options.nesterov);
  };
  std::vector<torch::optim::OptimizerParamGroup> groups;
  groups.emplace_back(std::move(decayed),
                      std::make_unique<torch::optim::SGDOptions>(group_options(options.weight_decay)));
  groups.emplace_back(std::move(plain), std::make_unique<torch::optim::SGDOptions>(group_options(0.0)));
  return std::make_unique<torch::optim::SGD>(groups, group_options(0.0));
}

void set_learning_rate(torch::optim::Optimizer& optimizer, double learning_rate) {
  for (torch::optim::OptimizerParamGroup& group : optimizer.param_groups()) group.options().set_lr(learning_rate);
}

}  // namespace negatron

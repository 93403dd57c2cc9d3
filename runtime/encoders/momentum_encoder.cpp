#include "runtime/encoders/momentum_encoder.h"

#include <string>

namespace negatron {

MomentumEncoder::MomentumEncoder(std::shared_ptr<ContrastiveEncoder> query)
    : query_(std::move(query)), key_(query_->duplicate()) {
  for (const at::Tensor& parameter : query_->parameters()) leaders_.push_back(parameter.detach());
  for (const at::Tensor& parameter : key_->parameters()) {
    parameter.set_requires_grad(false);
    followers_.push_back(parameter.detach());
  }
}

torch::Tensor MomentumEncoder::forward(const torch::Tensor& images) const {
  const torch::NoGradGuard no_grad;
  return key_->forward(images);
}

void MomentumEncoder::follow(double momentum) {
  if (!(momentum >= 0.0 && momentum <= 1.0)) {
    throw std::invalid_argument("--key-momentum must lie in [0, 1], got " + std::to_string(momentum) + ".");
  }
  const torch::NoGradGuard no_grad;
  at::_foreach_lerp_(followers_, leaders_, 1.0 - momentum);
}

}  // namespace negatron

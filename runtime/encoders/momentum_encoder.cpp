#include "runtime/encoders/momentum_encoder.h"

#include <string>

namespace negatron {

MomentumEncoder::MomentumEncoder(std::shared_ptr<ContrastiveEncoder> query)
    : query_(std::move(query)), key_(query_->duplicate()) {
  // Detached aliases share storage with the live parameters: the lists stay right as the optimizer changes these in
  // place.
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
  // key + (1 - m) * (query - key), which is m * key + (1 - m) * query. It needs no communication: the query encoder
  // is equal on all ranks after each step, and all of them use the same momentum.
  at::_foreach_lerp_(followers_, leaders_, 1.0 - momentum);
}

}  // namespace negatron

#include "runtime/encoders/momentum_encoder.h"

#include <string>

namespace negatron {

MomentumEncoder::MomentumEncoder(std::shared_ptr<ContrastiveEncoder> query)
    : query_(std::move(query)), key_(query_->duplicate()) {
  const auto pair_up = [this](const std::vector<at::Tensor>& from, const std::vector<at::Tensor>& to) {
    for (std::size_t i = 0; i < from.size(); ++i) {
      TensorPairs& pairs = from[i].is_floating_point() ? averaged_ : copied_;
      pairs.from.push_back(from[i].detach());
      pairs.to.push_back(to[i].detach());
    }
  };
  for (const at::Tensor& parameter : key_->parameters()) parameter.set_requires_grad(false);
  pair_up(query_->parameters(), key_->parameters());
  pair_up(query_->buffers(), key_->buffers());
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
  at::_foreach_lerp_(averaged_.to, averaged_.from, 1.0 - momentum);
  for (std::size_t i = 0; i < copied_.to.size(); ++i) copied_.to[i].copy_(copied_.from[i]);
}

}  // namespace negatron

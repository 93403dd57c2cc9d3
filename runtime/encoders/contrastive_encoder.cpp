#include "runtime/encoders/contrastive_encoder.h"

namespace negatron {

void copy_values(const torch::nn::Module& from, const torch::nn::Module& to) {
  const torch::NoGradGuard no_grad;
  const auto copy_all = [](const std::vector<torch::Tensor>& sources, const std::vector<torch::Tensor>& targets) {
    for (std::size_t i = 0; i < sources.size(); ++i) targets[i].copy_(sources[i]);
  };
  copy_all(from.parameters(), to.parameters());
  copy_all(from.buffers(), to.buffers());
}

ContrastiveEncoder::ContrastiveEncoder(std::shared_ptr<Backbone> backbone, const ProjectionHeadOptions& head,
                                       Communicator* comm)
    : backbone_(register_module("backbone", std::move(backbone))),
      head_(register_module("head", std::make_shared<ProjectionHead>(backbone_->feature_width(), head, comm))) {}

torch::Tensor ContrastiveEncoder::forward(const torch::Tensor& images) {
  return head_->forward(backbone_->forward(images));
}

torch::Tensor ContrastiveEncoder::features(const torch::Tensor& images) {
  return backbone_->forward(images).to(parameters().front().scalar_type());
}

std::int64_t ContrastiveEncoder::parameter_count() const {
  std::int64_t count = 0;
  for (const torch::Tensor& parameter : parameters()) count += parameter.numel();
  return count;
}

std::shared_ptr<ContrastiveEncoder> ContrastiveEncoder::duplicate() const {
  auto copy = std::make_shared<ContrastiveEncoder>(backbone_->same_shape(), head_->options(), head_->communicator());
  const torch::Tensor like = parameters().front();
  copy->to(like.device(), like.scalar_type());
  copy_values(*this, *copy);
  return copy;
}

}  // namespace negatron

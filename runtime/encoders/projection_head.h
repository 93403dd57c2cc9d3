#pragma once

#include <cstdint>

#include <torch/nn/modules/linear.h>

namespace negatron {

struct ProjectionHeadOptions {
  std::int64_t hidden = 512;
  /// Width d of queries, keys and bank rows.
  std::int64_t output = 128;

  /// Throws std::invalid_argument in a sentence that names the flag.
  void validate() const;
};

/// Linear, ReLU, Linear, then rows scaled to unit length: the head of MoCo v2 and SimCLR, thrown away after
/// pretraining.
class ProjectionHead : public torch::nn::Module {
 public:
  ProjectionHead(std::int64_t features, const ProjectionHeadOptions& options);

  /// features [b, F] -> [b, output], unit rows in the dtype of the parameters, also under autocast. A zero row stays
  /// zero.
  torch::Tensor forward(const torch::Tensor& features);

  const ProjectionHeadOptions& options() const noexcept { return options_; }

 private:
  ProjectionHeadOptions options_;
  torch::nn::Linear hidden_;
  torch::nn::Linear output_;
};

}  // namespace negatron

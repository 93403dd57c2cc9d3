#pragma once

#include <cstdint>
#include <memory>

#include "runtime/encoders/backbone.h"
#include "runtime/encoders/projection_head.h"

namespace negatron {

/// Gives `to`, a network of the same shape on any device, the values of the parameters and buffers of `from`. Local.
void copy_values(const torch::nn::Module& from, const torch::nn::Module& to);

/// Backbone and projection head: what makes a query of a view, and, in its momentum copy, a key.
class ContrastiveEncoder : public torch::nn::Module {
 public:
  /// `comm`, which outlives the encoder, is needed by a head with batch norm only.
  ContrastiveEncoder(std::shared_ptr<Backbone> backbone, const ProjectionHeadOptions& head,
                     Communicator* comm = nullptr);

  /// images [b, c, h, w] -> [b, width of the head], rows of the head's length, fp32 (fp64 when the parameters are fp64)
  /// at any precision. Collective in training mode when the head or the backbone has a batch norm over all ranks;
  /// otherwise local.
  torch::Tensor forward(const torch::Tensor& images);
  /// images [b, c, h, w] -> [b, feature_width()], what evaluation and downstream tasks use; dtype as `forward`.
  /// Collective in training mode when the backbone has a batch norm over all ranks; otherwise local.
  torch::Tensor features(const torch::Tensor& images);

  Backbone& backbone() const noexcept { return *backbone_; }
  std::int64_t feature_width() const { return backbone_->feature_width(); }
  std::int64_t parameter_count() const;

  /// A copy with parameters and buffers of its own that hold the same values, on the same device. Local.
  std::shared_ptr<ContrastiveEncoder> duplicate() const;

 private:
  std::shared_ptr<Backbone> backbone_;
  std::shared_ptr<ProjectionHead> head_;
};

}  // namespace negatron

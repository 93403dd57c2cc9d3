#pragma once

#include <cstdint>
#include <memory>

#include <torch/nn/module.h>

namespace negatron {

/// A network from images to features: what is trained, evaluated and exported; the projection head is not part of it.
class Backbone : public torch::nn::Module {
 public:
  /// images [b, c, h, w] -> features [b, feature_width()]. Collective in training mode when it has batch norms over all
  /// ranks; otherwise local.
  virtual torch::Tensor forward(const torch::Tensor& images) = 0;
  virtual std::int64_t feature_width() const = 0;
  /// A new network of the same shape with parameters of its own, not initialised. Local.
  virtual std::shared_ptr<Backbone> same_shape() const = 0;
};

}  // namespace negatron

#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/normalization.h>

#include "runtime/encoders/backbone.h"
#include "runtime/encoders/registry.h"

namespace negatron {

struct ConvEncoderOptions {
  std::int64_t input_channels = 1;
  /// Width of each stage.
  std::vector<std::int64_t> channels = {64, 128, 256};
  /// Stride of each stage's convolution; as many as `channels`.
  std::vector<std::int64_t> strides = {2, 2, 2};
  /// Groups of every GroupNorm; divides each of `channels`.
  std::int64_t groups = 8;
  /// Features are averaged over a grid of pool_grid x pool_grid cells. On small images a grid of 2 keeps the layout
  /// that a global average (1) throws away.
  std::int64_t pool_grid = 2;

  /// Throws std::invalid_argument in a sentence that names the flag.
  void validate() const;
  /// channels.back() * pool_grid^2
  std::int64_t feature_width() const;
};

/// Per stage a 3x3 convolution without bias, GroupNorm and ReLU; then average pooling to a grid. GroupNorm and not
/// BatchNorm: no statistic of a batch enters, so a query cannot recognise its key by the batch they shared (the leak
/// that MoCo shuffles against), and the features of an image do not depend on how a batch is split over ranks.
class ConvEncoder : public Backbone {
 public:
  explicit ConvEncoder(const ConvEncoderOptions& options);

  /// As --encoder conv has it: a shape by the shared flags, no stem, and no norm but group norm.
  explicit ConvEncoder(const BackboneArguments& arguments);
  static BackboneDescription describe();
  static void check(const BackboneArguments& arguments);

  /// images [b, input_channels, h, w] -> features [b, channels.back() * pool_grid^2]
  torch::Tensor forward(const torch::Tensor& images) override;
  std::int64_t feature_width() const override { return options_.feature_width(); }
  std::shared_ptr<Backbone> same_shape() const override;

  const ConvEncoderOptions& options() const noexcept { return options_; }

 private:
  ConvEncoderOptions options_;
  std::vector<torch::nn::Conv2d> convolutions_;
  std::vector<torch::nn::GroupNorm> norms_;
};

}  // namespace negatron

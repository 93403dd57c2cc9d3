#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>

#include "runtime/encoders/backbone.h"
#include "runtime/encoders/registry.h"

namespace negatron {

struct MlpEncoderOptions {
  /// Values of an input: of images all of their pixels.
  std::int64_t inputs = 1;
  std::int64_t hidden = 1024;
  std::int64_t layers = 2;

  /// Those of --encoder mlp:hidden=...,layers=... Local.
  static MlpEncoderOptions of(const BackboneArguments& arguments);
};

/// Linear, layer norm and ReLU, so many times: for inputs that are features already, where there is nothing to
/// convolve. No statistic of a batch enters.
class MlpEncoder : public Backbone {
 public:
  explicit MlpEncoder(const MlpEncoderOptions& options);

  /// As --encoder mlp has it.
  explicit MlpEncoder(const BackboneArguments& arguments);
  static BackboneDescription describe();
  static void check(const BackboneArguments& arguments);

  /// inputs [b, ...] of options.inputs values each -> features [b, hidden]. Local.
  torch::Tensor forward(const torch::Tensor& images) override;
  std::int64_t feature_width() const override { return options_.hidden; }
  std::shared_ptr<Backbone> same_shape() const override;

 private:
  MlpEncoderOptions options_;
  std::vector<torch::nn::Linear> linears_;
  std::vector<torch::nn::LayerNorm> norms_;
};

}  // namespace negatron

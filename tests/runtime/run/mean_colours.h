#pragma once

#include <cstdint>
#include <memory>

#include <torch/nn/modules/linear.h>

#include "runtime/encoders/parameter_streams.h"
#include "runtime/encoders/registry.h"

namespace negatron::testing {

/// An encoder as somebody might bring it: the means of a grid of cells, each shifted by a number that is learned and
/// that no layer of torch holds, then one linear layer. Its own option says how fine the grid is.
class MeanColours : public Backbone, public KnowsItsStart {
 public:
  explicit MeanColours(const BackboneArguments& arguments)
      : arguments_(arguments), cells_(arguments.options.count("cells")) {
    const std::int64_t means = arguments.input_channels * cells_ * cells_;
    shift_ = register_parameter("shift", at::empty({means}));
    linear_ = register_module("linear", torch::nn::Linear(means, feature_width()));
  }

  static BackboneDescription describe() {
    return {"mean-colours", "one of a test", {{"cells", std::int64_t{2}, "cells a side", 1, 8}}};
  }
  static void check(const BackboneArguments& arguments) {
    if (arguments.flags.norm == "batch") throw std::invalid_argument("--encoder-norm: mean-colours has no norm.");
  }

  torch::Tensor forward(const torch::Tensor& images) override {
    return linear_(at::adaptive_avg_pool2d(images, {cells_, cells_}).flatten(1) + shift_).relu();
  }
  std::int64_t feature_width() const override { return 24; }
  std::shared_ptr<Backbone> same_shape() const override { return std::make_shared<MeanColours>(arguments_); }
  void fill_parameters(ParameterStreams& streams) override {
    streams.fill(shift_, [](CounterRng& random) { return 0.1 * random.normal(); });
  }

 private:
  BackboneArguments arguments_;
  std::int64_t cells_;
  torch::Tensor shift_;
  torch::nn::Linear linear_{nullptr};
};

}  // namespace negatron::testing

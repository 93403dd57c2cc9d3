#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include <torch/nn/modules/container/any.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>

namespace negatron {

/// A new norm over maps of so many channels.
using MakeNorm = std::function<torch::nn::AnyModule(std::int64_t channels)>;

/// A square convolution without bias whose padding keeps the size of maps at stride 1.
torch::nn::Conv2d plain_convolution(std::int64_t input, std::int64_t output, std::int64_t kernel, std::int64_t stride,
                                    std::int64_t groups = 1);

struct BlockShape {
  std::int64_t input = 64;
  /// Of the stage: 64 in the first, twice as many in each further one.
  std::int64_t width = 64;
  /// Of the block: on the first 3x3 convolution (torchvision's choice for bottlenecks too), and on the shortcut.
  std::int64_t stride = 1;
  /// 1x1, 3x3 and 1x1 convolutions instead of two of 3x3.
  bool bottleneck = false;
  /// Of the 3x3 convolution of a bottleneck (Xie et al., CVPR 2017), and the channels that each has in the first stage.
  std::int64_t groups = 1;
  std::int64_t group_width = 64;

  /// Channels inside the block: of a bottleneck groups * group_width * width / 64, else `width`.
  std::int64_t inner() const;
  /// A bottleneck ends with four times `width`, however wide it is inside.
  std::int64_t output() const;
};

/// A residual block (He et al., CVPR 2016): relu(f(x) + shortcut(x)), f being convolutions, each with a norm and all
/// but the last with ReLU. The shortcut is the identity where shapes allow it, else a 1x1 convolution with a norm.
/// Parameters are named as torchvision's: conv1, bn1, conv2, ..., downsample.0, downsample.1.
class ResidualBlock : public torch::nn::Module {
 public:
  ResidualBlock(const BlockShape& shape, const MakeNorm& make_norm);

  /// maps [b, input, h, w] -> [b, output(), ceil(h / stride), ceil(w / stride)]. Collective when the norms are.
  torch::Tensor forward(const torch::Tensor& maps);

 private:
  /// A convolution and its norm, under the next numbers.
  void add_layer(const torch::nn::Conv2d& convolution, const MakeNorm& make_norm);

  std::vector<torch::nn::Conv2d> convolutions_;
  std::vector<torch::nn::AnyModule> norms_;
  /// Null for the identity.
  torch::nn::Sequential shortcut_{nullptr};
};

}  // namespace negatron

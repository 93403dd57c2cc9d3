#include "runtime/encoders/residual_block.h"

#include <string>

namespace negatron {

torch::nn::Conv2d plain_convolution(std::int64_t input, std::int64_t output, std::int64_t kernel, std::int64_t stride,
                                    std::int64_t groups) {
  return torch::nn::Conv2d(
      torch::nn::Conv2dOptions(input, output, kernel).stride(stride).padding(kernel / 2).groups(groups).bias(false));
}

std::int64_t BlockShape::inner() const {
  constexpr std::int64_t kFirstWidth = 64;
  return bottleneck ? width * group_width / kFirstWidth * groups : width;
}

std::int64_t BlockShape::output() const {
  constexpr std::int64_t kExpansion = 4;
  return bottleneck ? kExpansion * width : width;
}

ResidualBlock::ResidualBlock(const BlockShape& shape, const MakeNorm& make_norm) {
  if (shape.bottleneck) {
    add_layer(plain_convolution(shape.input, shape.inner(), 1, 1), make_norm);
    // The stride sits on the 3 x 3 convolution and not on the first 1 x 1, which would skip three quarters of the
    // positions.
    add_layer(plain_convolution(shape.inner(), shape.inner(), 3, shape.stride, shape.groups), make_norm);
    add_layer(plain_convolution(shape.inner(), shape.output(), 1, 1), make_norm);
  } else {
    add_layer(plain_convolution(shape.input, shape.inner(), 3, shape.stride), make_norm);
    add_layer(plain_convolution(shape.inner(), shape.output(), 3, 1), make_norm);
  }
  // The identity serves as shortcut where shapes agree. The first block of the first stage of a ResNet-50 has stride
  // 1 and still needs a projection, since it goes from 64 to 256 channels.
  if (shape.stride == 1 && shape.input == shape.output()) return;
  shortcut_ = torch::nn::Sequential(plain_convolution(shape.input, shape.output(), 1, shape.stride));
  shortcut_->push_back(make_norm(shape.output()));
  // Names are those of torchvision's ResNet, so that weights can be told apart, or exchanged, by name.
  register_module("downsample", shortcut_);
}

void ResidualBlock::add_layer(const torch::nn::Conv2d& convolution, const MakeNorm& make_norm) {
  const std::string number = std::to_string(convolutions_.size() + 1);
  convolutions_.push_back(register_module("conv" + number, convolution));
  norms_.push_back(make_norm(convolution->options.out_channels()));
  register_module("bn" + number, norms_.back().ptr());
}

torch::Tensor ResidualBlock::forward(const torch::Tensor& maps) {
  torch::Tensor residual = maps;
  for (std::size_t layer = 0; layer < convolutions_.size(); ++layer) {
    residual = norms_[layer].forward(convolutions_[layer](residual));
    // The last layer gets its ReLU after the shortcut was added.
    if (layer + 1 < convolutions_.size()) residual.relu_();
  }
  return residual.add_(shortcut_.is_empty() ? maps : shortcut_->forward(maps)).relu_();
}

}  // namespace negatron

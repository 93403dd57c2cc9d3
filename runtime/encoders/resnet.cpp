#include "runtime/encoders/resnet.h"

#include <array>
#include <stdexcept>

#include <torch/nn/modules/normalization.h>

#include "runtime/encoders/channels_last.h"
#include "runtime/encoders/norms/global_batch_norm.h"

namespace negatron {
namespace {

constexpr std::int64_t kFirstWidth = 64;
constexpr std::size_t kStages = 4;

struct Depth {
  std::array<std::int64_t, kStages> blocks;
  bool bottleneck;
};

/// Table 1 of the paper.
Depth depth_of(std::int64_t layers) {
  switch (layers) {
    case 18:
      return {{2, 2, 2, 2}, false};
    case 34:
      return {{3, 4, 6, 3}, false};
    case 50:
      return {{3, 4, 6, 3}, true};
    case 101:
      return {{3, 4, 23, 3}, true};
    default:
      throw std::invalid_argument("--encoder: there is no ResNet of " + std::to_string(layers) +
                                  " layers, expected one of: 18, 34, 50, 101.");
  }
}

MakeNorm norm_maker(const ResNetOptions& options, Communicator* comm) {
  if (options.norm == ResNetOptions::Norm::kGroup) {
    return [groups = options.groups](std::int64_t channels) {
      return torch::nn::AnyModule(torch::nn::GroupNorm(torch::nn::GroupNormOptions(groups, channels)));
    };
  }
  if (comm == nullptr) throw std::invalid_argument("An encoder with batch norm needs the ranks that it is over.");
  return [comm](std::int64_t channels) {
    return torch::nn::AnyModule(std::make_shared<GlobalBatchNorm>(channels, *comm, /*counts_batches=*/true));
  };
}

}  // namespace

ResNetOptions ResNetOptions::of(const BackboneArguments& arguments) {
  ResNetOptions options;
  options.input_channels = arguments.input_channels;
  options.stem = arguments.flags.stem == "cifar" ? Stem::kCifar : Stem::kImageNet;
  options.norm = arguments.flags.norm == "group" ? Norm::kGroup : Norm::kBatch;
  options.groups = arguments.flags.groups;
  return options;
}

void ResNetOptions::validate() const {
  depth_of(depth);
  if (norm == Norm::kGroup && (groups < 1 || kFirstWidth % groups != 0)) {
    throw std::invalid_argument("--encoder-groups must divide the " + std::to_string(kFirstWidth) +
                                " channels that a ResNet begins with, got " + std::to_string(groups) + ".");
  }
}

ResNet::ResNet(const ResNetOptions& options, Communicator* comm) : options_(options), comm_(comm) {
  options.validate();
  const Depth depth = depth_of(options.depth);
  const MakeNorm make_norm = norm_maker(options, comm);
  const bool small_images = options.stem == ResNetOptions::Stem::kCifar;
  convolution_ = register_module(
      "conv1", plain_convolution(options.input_channels, kFirstWidth, small_images ? 3 : 7, small_images ? 1 : 2));
  norm_ = make_norm(kFirstWidth);
  register_module("bn1", norm_.ptr());
  BlockShape shape{kFirstWidth, kFirstWidth, 1, depth.bottleneck, options.bottleneck_groups, options.group_width};
  // Only the first block of stages 2 to 4 halves the maps. Sides of the maps behind the stem and the four stages:
  //  CIFAR stem, 28 x 28 images        28 | 28  14   7   4
  //  ImageNet stem, 224 x 224 images   56 | 56  28  14   7
  // Features are 512 wide with basic blocks, 4 * 512 = 2048 with bottlenecks.
  for (std::size_t stage = 0; stage < kStages; ++stage) {
    torch::nn::Sequential blocks;
    for (std::int64_t block = 0; block < depth.blocks[stage]; ++block) {
      blocks->push_back(std::make_shared<ResidualBlock>(shape, make_norm));
      shape.input = shape.output();
      shape.stride = 1;
    }
    stages_.push_back(register_module("layer" + std::to_string(stage + 1), blocks));
    shape.width *= 2;
    shape.stride = 2;
  }
  feature_width_ = shape.input;
}

torch::Tensor ResNet::forward(const torch::Tensor& images) {
  // torch's group norm, other than its batch norm, is slow over channels that lie last.
  const at::Tensor ordered = options_.norm == ResNetOptions::Norm::kBatch ? with_channels_last(images) : images;
  torch::Tensor maps = norm_.forward(convolution_(ordered)).relu_();  // [b, 64, h', w']
  if (options_.stem == ResNetOptions::Stem::kImageNet) maps = at::max_pool2d(maps, 3, 2, 1);
  for (torch::nn::Sequential& stage : stages_) maps = stage->forward(maps);
  return maps.mean({2, 3});  // [b, feature_width()]
}

std::shared_ptr<Backbone> ResNet::same_shape() const {
  return std::make_shared<ResNet>(options_, comm_);
}

std::string torchvision_name(const ResNetOptions& options) {
  const std::string layers = std::to_string(options.depth);
  const std::string width = std::to_string(options.group_width);
  if (options.bottleneck_groups > 1) {
    return "resnext" + layers + "_" + std::to_string(options.bottleneck_groups) + "x" + width + "d";
  }
  if (options.group_width == kFirstWidth) return "resnet" + layers;
  return "wide_resnet" + layers + "_" + std::to_string(options.group_width / kFirstWidth);
}

LibraryNetwork in_torchvision(const ResNetOptions& options) {
  constexpr std::int64_t kColours = 3;
  const bool small_images = options.stem == ResNetOptions::Stem::kCifar;
  LibraryNetwork network;
  network.name = "torchvision.models." + torchvision_name(options);
  network.python = "import torch, torchvision\nmodel = " + network.name + "(";
  if (options.norm == ResNetOptions::Norm::kGroup) {
    network.python +=
        "norm_layer=lambda channels: torch.nn.GroupNorm(" + std::to_string(options.groups) + ", channels)";
  }
  network.python += ")\n";
  if (small_images || options.input_channels != kColours) {
    network.python += "model.conv1 = torch.nn.Conv2d(" + std::to_string(options.input_channels) + ", " +
                      std::to_string(kFirstWidth) +
                      (small_images ? ", 3, padding=1, bias=False)\n" : ", 7, stride=2, padding=3, bias=False)\n");
  }
  if (small_images) network.python += "model.maxpool = torch.nn.Identity()\n";
  network.python += "model.fc = torch.nn.Identity()\n";
  return network;
}

}  // namespace negatron

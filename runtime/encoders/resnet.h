#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "runtime/encoders/backbone.h"
#include "runtime/encoders/registry.h"
#include "runtime/encoders/residual_block.h"

namespace negatron {

struct ResNetOptions {
  std::int64_t input_channels = 3;
  /// 18, 34 (basic blocks), 50 or 101 (bottlenecks).
  std::int64_t depth = 18;
  /// Of bottlenecks: groups of their 3x3 convolutions, and channels of a group in the first stage.
  std::int64_t bottleneck_groups = 1;
  std::int64_t group_width = 64;
  enum class Stem {
    kImageNet,  ///< 7x7 convolution of stride 2 and 3x3 maximum of stride 2: maps of a quarter of the image's side
    kCifar,     ///< 3x3 convolution of stride 1: maps as large as the image, for images of some 32 pixels
  };
  Stem stem = Stem::kImageNet;
  enum class Norm {
    kBatch,  ///< GlobalBatchNorm
    kGroup,  ///< GroupNorm, under the same names; no statistic of a batch enters
  };
  Norm norm = Norm::kBatch;
  /// Of every GroupNorm; divides 64.
  std::int64_t groups = 8;

  /// A ResNet as the flags shared by encoders ask for it; depth and bottlenecks are left alone. Local.
  static ResNetOptions of(const BackboneArguments& arguments);
  /// Throws std::invalid_argument in a sentence that names the flag.
  void validate() const;
};

/// ResNet (He et al., CVPR 2016), wide ResNet (Zagoruyko and Komodakis, BMVC 2016) or ResNeXt (Xie et al., CVPR 2017)
/// with torchvision's names of parameters and buffers, without `fc`: its weights load
/// into torchvision.models.resnet18 and the like. With kCifar conv1 is [64, c, 3, 3], as one changes torchvision's for
/// small images.
///
/// Norms are over the batches of all ranks, and not over each rank's own as in MoCo: only so does the answer not depend
/// on the number of ranks. A query and its key still come out of batches of the same samples (the leak that MoCo
/// shuffles against, weaker the larger the batch); with kGroup nothing of a batch can leak.
class ResNet : public Backbone {
 public:
  /// `comm`, which outlives the network, is needed by kBatch only. Throws std::invalid_argument when it is missing, and
  /// for options that are not valid. Local.
  explicit ResNet(const ResNetOptions& options, Communicator* comm = nullptr);

  /// images [b, input_channels, h, w] -> features [b, feature_width()], the means of the last maps. With kBatch
  /// collective in training mode and in its backward; otherwise local.
  torch::Tensor forward(const torch::Tensor& images) override;
  /// 512, of bottlenecks 2048.
  std::int64_t feature_width() const override { return feature_width_; }
  std::shared_ptr<Backbone> same_shape() const override;

 private:
  ResNetOptions options_;
  Communicator* comm_;
  torch::nn::Conv2d convolution_{nullptr};
  torch::nn::AnyModule norm_;
  std::vector<torch::nn::Sequential> stages_;
  std::int64_t feature_width_ = 0;
};

/// The name that torchvision gives a ResNet: resnet50, wide_resnet50_2, resnext50_32x4d. Local.
std::string torchvision_name(const ResNetOptions& options);

/// A ResNet of any options in torchvision, where group norms and other first layers are put in. Local.
LibraryNetwork in_torchvision(const ResNetOptions& options);

/// One of them as --encoder has it, under that name.
template <std::int64_t layers, std::int64_t groups = 1, std::int64_t group_width = 64>
class ResNetOf : public ResNet {
 public:
  explicit ResNetOf(const BackboneArguments& arguments) : ResNet(shaped(arguments), arguments.comm) {}
  static BackboneDescription describe() {
    return {torchvision_name(shaped(BackboneArguments{})), "one with torchvision's parameter names"};
  }
  static void check(const BackboneArguments& arguments) { shaped(arguments).validate(); }
  static LibraryNetwork in_library(const BackboneArguments& arguments) { return in_torchvision(shaped(arguments)); }

 private:
  static ResNetOptions shaped(const BackboneArguments& arguments) {
    ResNetOptions options = ResNetOptions::of(arguments);
    options.depth = layers;
    options.bottleneck_groups = groups;
    options.group_width = group_width;
    return options;
  }
};

}  // namespace negatron

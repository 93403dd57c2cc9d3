#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/encoders/backbone.h"
#include "runtime/encoders/registry.h"
#include "runtime/encoders/transformer_block.h"

namespace negatron {

struct VisionTransformerOptions {
  std::int64_t input_channels = 3;
  /// Of the views; both sides are multiples of `patch`.
  ImageSize image{224, 224};
  /// Side of the squares that become tokens, pixels.
  std::int64_t patch = 16;
  std::int64_t width = 192;
  std::int64_t depth = 12;
  /// Divide `width`.
  std::int64_t heads = 3;
  /// The projection of patches stays as it begins (MoCo v3, section 4.2), which steadies training.
  bool fixed_patch = false;
  /// Positions are learned, as timm's; otherwise fixed sines and cosines, as MoCo v3's.
  bool learned_positions = false;

  /// Those of --encoder NAME:patch=...; width, depth and heads are left alone. Local.
  static VisionTransformerOptions of(const BackboneArguments& arguments);
  /// Throws std::invalid_argument in a sentence that names the flag.
  void validate() const;
  std::int64_t patches() const { return (image.height / patch) * (image.width / patch); }
};

/// The projection of patches to tokens: a convolution whose stride is its kernel.
class PatchProjection : public torch::nn::Module, public KnowsItsStart {
 public:
  explicit PatchProjection(const VisionTransformerOptions& options);
  /// images [b, c, h, w] -> [b, patches, width], row by row. Local.
  torch::Tensor forward(const torch::Tensor& images) const;
  void fill_parameters(ParameterStreams& streams) override;

 private:
  std::int64_t patch_;
  torch::Tensor weight_;  // [width, c, patch, patch]
  torch::Tensor bias_;    // [width]
};

/// Vision transformer (Dosovitskiy et al., ICLR 2021) with timm's names of parameters, without `head`: its weights load
/// into timm's vit_tiny_patch16_224 and the like. Features are the class token behind the last norm. It begins as MoCo
/// v3's (Chen, Xie and He, ICCV 2021). It has no norm over a batch, so nothing of a batch leaks. What is fixed is a
/// buffer, under the same name: it goes into snapshots, and comes out of files, as the rest does.
class VisionTransformer : public Backbone, public KnowsItsStart {
 public:
  explicit VisionTransformer(const VisionTransformerOptions& options);

  /// images [b, input_channels, h, w] of the options' size -> features [b, width]. Local.
  torch::Tensor forward(const torch::Tensor& images) override;
  std::int64_t feature_width() const override { return options_.width; }
  std::shared_ptr<Backbone> same_shape() const override;
  void fill_parameters(ParameterStreams& streams) override;

 private:
  VisionTransformerOptions options_;
  torch::Tensor class_token_;  // [1, 1, width]
  torch::Tensor positions_;    // [1, 1 + patches, width]
  std::shared_ptr<PatchProjection> projection_;
  std::vector<std::shared_ptr<TransformerBlock>> blocks_;
  torch::nn::LayerNorm norm_{nullptr};
};

/// [1, 1 + rows * columns, width]: zeros for the class token; for the patch in row y and column x, with w_i = 10000^(-i
/// / (width / 4)) and i from 0 to width / 4 - 1: sin(x w_i), cos(x w_i), sin(y w_i), cos(y w_i), each over all i.
/// `width` is a multiple of 4. Local.
at::Tensor sine_positions(std::int64_t rows, std::int64_t columns, std::int64_t width);

/// The options of its own that --encoder vit_NAME takes.
std::vector<MethodOption> vision_transformer_options();

/// The sizes that are known by names: width 192, 384 and 768 with heads of 64.
enum class VitSize { kTiny, kSmall, kBase };
std::string name_of(VitSize size);
VisionTransformerOptions sized(VitSize size, const BackboneArguments& arguments);

/// One of them in timm, for views of the options' size. Local.
LibraryNetwork in_timm(VitSize size, const VisionTransformerOptions& options);

/// One of them as --encoder has it.
template <VitSize size>
class VitOf : public VisionTransformer {
 public:
  explicit VitOf(const BackboneArguments& arguments) : VisionTransformer(sized(size, arguments)) {}
  static BackboneDescription describe() {
    return {name_of(size), "a vision transformer with timm's parameter names", vision_transformer_options()};
  }
  static LibraryNetwork in_library(const BackboneArguments& arguments) { return in_timm(size, sized(size, arguments)); }
  static void check(const BackboneArguments& arguments) {
    if (arguments.flags.stem != BackboneOptions{}.stem || arguments.flags.norm != BackboneOptions{}.norm) {
      throw std::invalid_argument("--stem and --encoder-norm go with a ResNet; " + name_of(size) + " has layer norm.");
    }
  }
};

}  // namespace negatron

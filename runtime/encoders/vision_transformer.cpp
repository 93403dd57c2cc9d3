#include "runtime/encoders/vision_transformer.h"

#include <cmath>
#include <stdexcept>

namespace negatron {
namespace {

constexpr std::int64_t kHeadWidth = 64;
constexpr double kLongestWave = 10000.0;
constexpr double kPositionDeviation = 0.02;
constexpr double kClassTokenDeviation = 1e-6;

std::int64_t width_of(VitSize size) {
  switch (size) {
    case VitSize::kTiny:
      return 192;
    case VitSize::kSmall:
      return 384;
    case VitSize::kBase:
      return 768;
  }
  throw std::logic_error("A vision transformer of no known size.");
}

}  // namespace

VisionTransformerOptions VisionTransformerOptions::of(const BackboneArguments& arguments) {
  VisionTransformerOptions options;
  options.input_channels = arguments.input_channels;
  options.image = arguments.view_size;
  options.patch = arguments.options.count("patch");
  options.fixed_patch = arguments.options.on("fixed-patch");
  options.learned_positions = arguments.options.word("positions") == "learned";
  return options;
}

void VisionTransformerOptions::validate() const {
  if (patch < 1 || image.height < patch || image.width < patch || image.height % patch != 0 ||
      image.width % patch != 0) {
    throw std::invalid_argument("--encoder vit: views of " + std::to_string(image.height) + " x " +
                                std::to_string(image.width) + " pixels are not whole patches of " +
                                std::to_string(patch) + "; choose another patch=SIDE, or size of the views.");
  }
  if (width % heads != 0 || width % 4 != 0) {
    throw std::invalid_argument("A vision transformer's width is a multiple of its heads and of 4.");
  }
}

PatchProjection::PatchProjection(const VisionTransformerOptions& options) : patch_(options.patch) {
  const at::Tensor weight = at::empty({options.width, options.input_channels, options.patch, options.patch});
  const at::Tensor bias = at::empty({options.width});
  weight_ = options.fixed_patch ? register_buffer("weight", weight) : register_parameter("weight", weight);
  bias_ = options.fixed_patch ? register_buffer("bias", bias) : register_parameter("bias", bias);
}

torch::Tensor PatchProjection::forward(const torch::Tensor& images) const {
  return at::conv2d(images, weight_, bias_, patch_).flatten(2).transpose(1, 2);
}

// As MoCo v3: as if it were a linear layer from all values of a patch.
void PatchProjection::fill_parameters(ParameterStreams& streams) {
  const auto ends = static_cast<double>(weight_.numel() / weight_.size(0) + weight_.size(0));
  const double bound = std::sqrt(6.0 / ends);
  streams.fill(weight_, [bound](CounterRng& random) { return bound * (2.0 * random.uniform() - 1.0); });
  streams.fill_constant(bias_, 0.0);
}

VisionTransformer::VisionTransformer(const VisionTransformerOptions& options) : options_(options) {
  options.validate();
  class_token_ = register_parameter("cls_token", at::empty({1, 1, options.width}));
  if (options.learned_positions) {
    positions_ = register_parameter("pos_embed", at::empty({1, 1 + options.patches(), options.width}));
  } else {
    positions_ = register_buffer("pos_embed", sine_positions(options.image.height / options.patch,
                                                             options.image.width / options.patch, options.width));
  }
  const auto patches = std::make_shared<torch::nn::Module>();
  projection_ = patches->register_module("proj", std::make_shared<PatchProjection>(options));
  register_module("patch_embed", patches);
  const auto blocks = std::make_shared<torch::nn::Module>();
  for (std::int64_t block = 0; block < options.depth; ++block) {
    blocks_.push_back(blocks->register_module(std::to_string(block),
                                              std::make_shared<TransformerBlock>(options.width, options.heads)));
  }
  register_module("blocks", blocks);
  norm_ = register_module("norm", token_norm(options.width));
}

torch::Tensor VisionTransformer::forward(const torch::Tensor& images) {
  if (images.size(2) != options_.image.height || images.size(3) != options_.image.width) {
    throw std::invalid_argument("A vision transformer takes images of the size that its positions are for.");
  }
  const torch::Tensor patches = projection_->forward(images);
  const torch::Tensor first = class_token_.expand({images.size(0), 1, options_.width});
  // In the type of the positions, also under autocast: sums of layers do not lose what bf16 would round away.
  torch::Tensor tokens = at::cat({first, patches.to(first.scalar_type())}, 1) + positions_;
  for (const std::shared_ptr<TransformerBlock>& block : blocks_) tokens = block->forward(tokens);
  return norm_(tokens).select(1, 0);
}

std::shared_ptr<Backbone> VisionTransformer::same_shape() const {
  return std::make_shared<VisionTransformer>(options_);
}

void VisionTransformer::fill_parameters(ParameterStreams& streams) {
  streams.fill(class_token_, [](CounterRng& random) { return kClassTokenDeviation * random.normal(); });
  if (!options_.learned_positions) return;
  streams.fill(positions_, [](CounterRng& random) { return kPositionDeviation * random.normal(); });
}

at::Tensor sine_positions(std::int64_t rows, std::int64_t columns, std::int64_t width) {
  const std::int64_t waves = width / 4;
  const at::Tensor frequencies =
      at::pow(kLongestWave, -at::arange(waves, at::kDouble) / static_cast<double>(waves));  // [waves]
  const auto angles = [&](std::int64_t count) { return at::outer(at::arange(count, at::kDouble), frequencies); };
  const std::vector<std::int64_t> grid{rows, columns, waves};
  const at::Tensor by_column = angles(columns).unsqueeze(0).expand(grid);
  const at::Tensor by_row = angles(rows).unsqueeze(1).expand(grid);
  const at::Tensor patches =
      at::cat({by_column.sin(), by_column.cos(), by_row.sin(), by_row.cos()}, 2).flatten(0, 1);  // [patches, width]
  return at::cat({at::zeros({1, width}, at::kDouble), patches}).unsqueeze(0).to(at::kFloat);
}

std::vector<MethodOption> vision_transformer_options() {
  MethodOption positions{"positions", std::string("fixed"),
                         "fixed sines and cosines (MoCo v3), or learned (timm); each for the size of the views"};
  positions.choices = {"fixed", "learned"};
  return {{"patch", std::int64_t{16}, "side of a patch, pixels", 1, 4096},
          {"fixed-patch", false, "the projection of patches stays as it begins (MoCo v3)"},
          positions};
}

std::string name_of(VitSize size) {
  switch (size) {
    case VitSize::kTiny:
      return "vit_tiny";
    case VitSize::kSmall:
      return "vit_small";
    case VitSize::kBase:
      return "vit_base";
  }
  return "vit";
}

VisionTransformerOptions sized(VitSize size, const BackboneArguments& arguments) {
  VisionTransformerOptions options = VisionTransformerOptions::of(arguments);
  options.width = width_of(size);
  options.heads = options.width / kHeadWidth;
  return options;
}

LibraryNetwork in_timm(VitSize size, const VisionTransformerOptions& options) {
  const VisionTransformerOptions usual;
  LibraryNetwork network;
  const std::string model = name_of(size) + "_patch16_224";
  network.name = "timm " + model;
  network.python = "import timm\nmodel = timm.create_model(\"" + model + "\", num_classes=0";
  if (options.input_channels != usual.input_channels) {
    network.python += ", in_chans=" + std::to_string(options.input_channels);
  }
  if (options.image != usual.image) {
    network.python +=
        ", img_size=(" + std::to_string(options.image.height) + ", " + std::to_string(options.image.width) + ")";
  }
  if (options.patch != usual.patch) network.python += ", patch_size=" + std::to_string(options.patch);
  network.python += ")\n";
  return network;
}

}  // namespace negatron

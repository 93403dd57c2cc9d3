#include "runtime/encoders/conv_encoder.h"

#include <stdexcept>
#include <string>

#include "runtime/encoders/channels_last.h"
#include "runtime/encoders/norms/group_norm_relu.h"

namespace negatron {
namespace {

/// [size, cells]: column j averages the positions of cell j, whose bounds are those of adaptive average pooling:
/// [floor(j * size / cells), ceil((j + 1) * size / cells)).
at::Tensor averaging_matrix(std::int64_t size, std::int64_t cells, const at::TensorOptions& options) {
  const at::Tensor matrix = at::zeros({size, cells}, options);
  for (std::int64_t cell = 0; cell < cells; ++cell) {
    const std::int64_t begin = cell * size / cells;
    const std::int64_t end = ((cell + 1) * size + cells - 1) / cells;
    matrix.select(1, cell).slice(0, begin, end).fill_(1.0 / static_cast<double>(end - begin));
  }
  return matrix;
}

ConvEncoderOptions conv_options(const BackboneArguments& arguments) {
  ConvEncoderOptions conv;
  conv.input_channels = arguments.input_channels;
  conv.channels = arguments.flags.channels;
  conv.strides = arguments.flags.strides;
  conv.groups = arguments.flags.groups;
  conv.pool_grid = arguments.flags.pool_grid;
  return conv;
}

}  // namespace

void ConvEncoderOptions::validate() const {
  if (channels.empty()) throw std::invalid_argument("--encoder-channels must name at least one stage.");
  if (input_channels < 1) throw std::invalid_argument("The images must have at least one channel.");
  if (groups < 1) throw std::invalid_argument("--encoder-groups must be at least 1.");
  for (const std::int64_t width : channels) {
    if (width < 1 || width % groups != 0) {
      throw std::invalid_argument("--encoder-channels: each width must be a positive multiple of the " +
                                  std::to_string(groups) + " groups of --encoder-groups, got " + std::to_string(width) +
                                  ".");
    }
  }
  if (strides.size() != channels.size()) {
    throw std::invalid_argument("--encoder-strides must have as many entries as --encoder-channels (" +
                                std::to_string(channels.size()) + "), got " + std::to_string(strides.size()) + ".");
  }
  for (const std::int64_t stride : strides) {
    if (stride < 1)
      throw std::invalid_argument("--encoder-strides must be at least 1, got " + std::to_string(stride) + ".");
  }
  if (pool_grid < 1)
    throw std::invalid_argument("--pool-grid must be at least 1, got " + std::to_string(pool_grid) + ".");
}

std::int64_t ConvEncoderOptions::feature_width() const {
  return channels.back() * pool_grid * pool_grid;
}

ConvEncoder::ConvEncoder(const ConvEncoderOptions& options) : options_(options) {
  options.validate();
  constexpr std::int64_t kKernel = 3;
  std::int64_t input = options.input_channels;
  for (std::size_t stage = 0; stage < options.channels.size(); ++stage) {
    const std::int64_t output = options.channels[stage];
    const auto convolution =
        torch::nn::Conv2dOptions(input, output, kKernel).stride(options.strides[stage]).padding(1).bias(false);
    const std::string number = std::to_string(stage + 1);
    convolutions_.push_back(register_module("conv" + number, torch::nn::Conv2d(convolution)));
    norms_.push_back(
        register_module("norm" + number, torch::nn::GroupNorm(torch::nn::GroupNormOptions(options.groups, output))));
    input = output;
  }
}

ConvEncoder::ConvEncoder(const BackboneArguments& arguments) : ConvEncoder(conv_options(arguments)) {}

BackboneDescription ConvEncoder::describe() {
  return {"conv"};
}

void ConvEncoder::check(const BackboneArguments& arguments) {
  conv_options(arguments).validate();
  const BackboneOptions& flags = arguments.flags;
  if (flags.stem != BackboneOptions{}.stem) {
    throw std::invalid_argument("--stem goes with a ResNet; --encoder conv has no stem.");
  }
  if (flags.norm == "batch") {
    throw std::invalid_argument("--encoder-norm batch goes with a ResNet; conv has group norm.");
  }
}

torch::Tensor ConvEncoder::forward(const torch::Tensor& images) {
  // The group norm behind each convolution is the project's own on a CPU, and torch's on a GPU, which wants it
  // otherwise.
  torch::Tensor maps = images.is_cpu() ? with_channels_last(images) : images;
  for (std::size_t stage = 0; stage < convolutions_.size(); ++stage) {
    const torch::nn::GroupNorm& norm = norms_[stage];
    maps = group_norm_relu(convolutions_[stage](maps), options_.groups, norm->weight, norm->bias);
  }  // [b, channels[stage], h', w']
  const std::int64_t height = maps.size(2);
  const std::int64_t width = maps.size(3);
  // Pooling is separable, so the matrix for a grid of cells is the Kronecker product of those for lines and columns:
  // [h' * w', grid^2], position y * w' + x in row, cell j_y * grid + j_x in column. Example of one side: 7 positions
  // and 3 cells give the bounds [0, 3), [2, 5) and [4, 7); neighbouring cells share positions 2 and 4.
  const at::Tensor pooling = at::kron(averaging_matrix(height, options_.pool_grid, maps.options()),
                                      averaging_matrix(width, options_.pool_grid, maps.options()));
  // A product with the pooling matrix: as adaptive_avg_pool2d and its backward, about twenty times faster on a CPU.
  const at::Tensor positions =
      maps.permute({0, 2, 3, 1}).flatten(1, 2);  // [b, h' * w', C], no copy of channels-last maps
  return at::matmul(pooling.t(), positions).transpose(1, 2).flatten(1);  // [b, C * grid^2]
}

std::shared_ptr<Backbone> ConvEncoder::same_shape() const {
  return std::make_shared<ConvEncoder>(options_);
}

}  // namespace negatron

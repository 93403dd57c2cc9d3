#include "runtime/encoders/mlp_encoder.h"

#include <stdexcept>
#include <string>

namespace negatron {

MlpEncoderOptions MlpEncoderOptions::of(const BackboneArguments& arguments) {
  MlpEncoderOptions options;
  options.inputs = arguments.input_channels * arguments.view_size.height * arguments.view_size.width;
  options.hidden = arguments.options.count("hidden");
  options.layers = arguments.options.count("layers");
  return options;
}

MlpEncoder::MlpEncoder(const MlpEncoderOptions& options) : options_(options) {
  std::int64_t inputs = options.inputs;
  for (std::int64_t layer = 1; layer <= options.layers; ++layer) {
    const std::string number = std::to_string(layer);
    linears_.push_back(register_module("linear" + number, torch::nn::Linear(inputs, options.hidden)));
    norms_.push_back(
        register_module("norm" + number, torch::nn::LayerNorm(torch::nn::LayerNormOptions({options.hidden}))));
    inputs = options.hidden;
  }
}

MlpEncoder::MlpEncoder(const BackboneArguments& arguments) : MlpEncoder(MlpEncoderOptions::of(arguments)) {}

BackboneDescription MlpEncoder::describe() {
  BackboneDescription description{
      "mlp",
      "for features",
      {{"hidden", std::int64_t{1024}, "width of every layer, and of the features", 1, 1 << 20},
       {"layers", std::int64_t{2}, "linear layers, each with layer norm and ReLU", 1, 100}}};
  description.takes_features = true;
  return description;
}

void MlpEncoder::check(const BackboneArguments& arguments) {
  if (arguments.flags.stem != BackboneOptions{}.stem || arguments.flags.norm != BackboneOptions{}.norm) {
    throw std::invalid_argument("--stem and --encoder-norm go with a ResNet; mlp has layer norm.");
  }
}

torch::Tensor MlpEncoder::forward(const torch::Tensor& images) {
  torch::Tensor values = images.flatten(1);  // [b, inputs]
  for (std::size_t layer = 0; layer < linears_.size(); ++layer) {
    values = norms_[layer](linears_[layer](values)).relu();
  }
  return values;
}

std::shared_ptr<Backbone> MlpEncoder::same_shape() const {
  return std::make_shared<MlpEncoder>(options_);
}

}  // namespace negatron

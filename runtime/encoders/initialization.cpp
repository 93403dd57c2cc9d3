#include "runtime/encoders/initialization.h"

#include <cmath>

#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>

#include "runtime/encoders/norms/global_batch_norm.h"
#include "runtime/encoders/parameter_streams.h"

namespace negatron {
namespace {

void initialize_layer(torch::nn::Module& layer, ParameterStreams& streams) {
  const auto uniform = [](double bound) {
    return [bound](CounterRng& rng) { return bound * (2.0 * rng.uniform() - 1.0); };
  };
  if (auto* own = dynamic_cast<KnowsItsStart*>(&layer)) {
    own->fill_parameters(streams);
  } else if (const auto* convolution = layer.as<torch::nn::Conv2d>()) {
    const at::Tensor& weight = convolution->weight;  // [out, in / groups, kh, kw]
    // Groups are not taken into account, as torch does not.
    const auto fan_out = static_cast<double>(weight.size(0) * weight.size(2) * weight.size(3));
    const double deviation = std::sqrt(2.0 / fan_out);
    streams.fill(weight, [deviation](CounterRng& rng) { return deviation * rng.normal(); });
    if (convolution->bias.defined()) streams.fill_constant(convolution->bias, 0.0);
  } else if (const auto* linear = layer.as<torch::nn::Linear>()) {
    const double bound = 1.0 / std::sqrt(static_cast<double>(linear->weight.size(1)));
    streams.fill(linear->weight, uniform(bound));
    if (linear->bias.defined()) streams.fill(linear->bias, uniform(bound));
  } else if (const auto* norm = layer.as<torch::nn::GroupNorm>()) {
    streams.fill_constant(norm->weight, 1.0);
    streams.fill_constant(norm->bias, 0.0);
  } else if (const auto* layer_norm = layer.as<torch::nn::LayerNorm>()) {
    streams.fill_constant(layer_norm->weight, 1.0);
    streams.fill_constant(layer_norm->bias, 0.0);
  } else if (const auto* batch_norm = layer.as<GlobalBatchNorm>()) {
    streams.fill_constant(batch_norm->weight, 1.0);
    streams.fill_constant(batch_norm->bias, 0.0);
  } else if (!layer.parameters(/*recurse=*/false).empty()) {
    throw std::invalid_argument("No initialisation is known for the parameters of layer " + layer.name() + ".");
  }
}

}  // namespace

void initialize(torch::nn::Module& module, std::uint64_t seed) {
  const torch::NoGradGuard no_grad;
  ParameterStreams streams(seed);
  // Depth first in registration order, the module itself included.
  module.apply([&streams](torch::nn::Module& layer) { initialize_layer(layer, streams); });
}

}  // namespace negatron

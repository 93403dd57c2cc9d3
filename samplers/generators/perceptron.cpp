#include "samplers/generators/perceptron.h"

#include <cmath>

#include "samplers/random/philox.h"

namespace negatron {
namespace {

/// What a leaky ReLU lets through below 0, as generators have it: of a plain one nothing may be left of an input.
constexpr double kLeak = 0.2;

/// He et al., ICCV 2015: what comes behind such a layer has about the variance of what came.
at::Tensor started(std::int64_t out, std::int64_t in, std::uint64_t seed, std::size_t layer) {
  const at::Tensor weight = at::empty({out, in}, at::kDouble);
  auto* value = weight.mutable_data_ptr<double>();
  const double deviation = std::sqrt(2.0 / static_cast<double>(in));
  for (std::int64_t row = 0; row < out; ++row) {
    CounterRng random(seed, Purpose::kGeneratorStart, layer, static_cast<std::uint64_t>(row));
    for (std::int64_t column = 0; column < in; ++column) *value++ = deviation * random.normal();
  }
  return weight;
}

}  // namespace

Perceptron::Perceptron(const std::vector<std::int64_t>& widths, at::TensorOptions options, std::uint64_t seed) {
  for (std::size_t layer = 0; layer + 1 < widths.size(); ++layer) {
    parameters_.push_back(started(widths[layer + 1], widths[layer], seed, layer).to(options).requires_grad_());
    parameters_.push_back(at::zeros({widths[layer + 1]}, options).requires_grad_());
  }
}

at::Tensor Perceptron::forward(const at::Tensor& input) const {
  at::Tensor values = input;
  for (std::size_t i = 0; i < parameters_.size(); i += 2) {
    if (i > 0) values = at::leaky_relu(values, kLeak);
    values = at::linear(values, parameters_[i], parameters_[i + 1]);
  }
  constexpr double kLeastLength = 1e-12;
  return values / values.norm(2, {-1}, true).clamp_min(kLeastLength);
}

}  // namespace negatron

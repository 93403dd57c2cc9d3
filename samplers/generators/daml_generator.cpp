#include "samplers/generators/daml_generator.h"

namespace negatron {
namespace {

/// [b] squared distances of unit rows.
at::Tensor distance(const at::Tensor& one, const at::Tensor& other) {
  return 2.0 - 2.0 * (one * other).sum(1);
}

}  // namespace

DamlGenerator::DamlGenerator(const DamlOptions& options, at::TensorOptions tensors)
    : options_(options),
      network_({3 * options.width, options.hidden, options.hidden, options.width}, tensors, options.seed) {}

GeneratedNegatives DamlGenerator::make(const GeneratorInput& input) const {
  const at::Tensor made = network_.forward(at::cat({input.queries, input.keys, input.seeds}, 1));  // [b, d]
  const at::Tensor to_query = distance(made, input.queries);
  const at::Tensor beyond = to_query - distance(input.keys, input.queries) - options_.margin;
  GeneratedNegatives generated;
  generated.vectors = made.unsqueeze(1);
  generated.own_loss =
      to_query + options_.regularization * distance(made, input.seeds) + options_.adversarial * beyond.relu();
  return generated;
}

}  // namespace negatron

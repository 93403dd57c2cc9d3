#include "samplers/generators/negcut_generator.h"

#include "comm/queued_copy.h"
#include "samplers/generators/noise.h"

namespace negatron {
namespace {

/// The pairs (0, 1), (2, 3), ... of [b, L, w] -> [b, L / 2] how far apart both are, in the 1-norm.
at::Tensor apart(const at::Tensor& vectors) {
  const std::int64_t pairs = vectors.size(1) / 2;
  const at::Tensor paired = vectors.narrow(1, 0, 2 * pairs).unflatten(1, {pairs, 2});
  return (paired.select(2, 0) - paired.select(2, 1)).abs().sum(2);
}

}  // namespace

NegcutGenerator::NegcutGenerator(const NegcutOptions& options, at::TensorOptions tensors)
    : options_(options),
      network_({options.width + options.noise, options.hidden, options.hidden, options.width}, tensors, options.seed) {}

GeneratedNegatives NegcutGenerator::make(const GeneratorInput& input) const {
  const std::int64_t size = input.queries.size(0);
  const at::Tensor drawn = normal_noise(options_.seed, input.step, input.first, {size, options_.count, options_.noise});
  const at::Tensor noise = queued_copy(drawn.to(input.queries.scalar_type()), input.queries.device());
  const at::Tensor queries = input.queries.unsqueeze(1).expand({size, options_.count, options_.width});
  GeneratedNegatives generated;
  generated.vectors = network_.forward(at::cat({queries, noise}, 2));
  const at::Tensor ratio = apart(generated.vectors) / apart(noise);  // [b, L / 2]
  generated.own_loss = -options_.diversity * ratio.mean(1);
  return generated;
}

}  // namespace negatron

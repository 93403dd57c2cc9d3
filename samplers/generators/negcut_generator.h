#pragma once

#include "samplers/generators/generator.h"
#include "samplers/generators/perceptron.h"

namespace negatron {

struct NegcutOptions {
  std::int64_t width = 0;     // d
  std::int64_t count = 16;    // L
  std::int64_t noise = 64;    // numbers of noise for each negative
  std::int64_t hidden = 128;  // width of both hidden layers
  double diversity = 1.0;
  std::uint64_t seed = 0;
};

/// Negatives of a query and noise, n_l = G(q, z_l), by an adversary that raises the loss and keeps them apart (Wang et
/// al., NEGCUT, ICCV 2021; negative_samplers/SAMPLERS.md 19). It minimises
///
///     - loss - diversity * mean over pairs of |n_l - n_m|_1 / |z_l - z_m|_1
///
/// over the pairs (0, 1), (2, 3), ... of a query.
class NegcutGenerator : public NegativeGenerator {
 public:
  NegcutGenerator(const NegcutOptions& options, at::TensorOptions tensors);
  GeneratedNegatives make(const GeneratorInput& input) const override;
  std::vector<at::Tensor> parameters() const override { return network_.parameters(); }
  double share_of_loss() const override { return -1.0; }

 private:
  NegcutOptions options_;
  Perceptron network_;
};

}  // namespace negatron

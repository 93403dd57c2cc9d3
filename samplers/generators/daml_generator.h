#pragma once

#include "samplers/generators/generator.h"
#include "samplers/generators/perceptron.h"

namespace negatron {

struct DamlOptions {
  std::int64_t width = 0;     // d
  std::int64_t hidden = 128;  // width of both hidden layers
  double regularization = 1.0;
  double adversarial = 50.0;
  double margin = 0.2;
  std::uint64_t seed = 0;
};

/// One negative of a query, its positive and a row of the bank, n' = G(q, k, n) (Duan et al., DAML, CVPR 2018;
/// negative_samplers/SAMPLERS.md 20). With squared distances of unit vectors, D(x, y) = 2 - 2 x . y, the generator
/// minimises
///
///     D(n', q) + regularization D(n', n) + adversarial max(0, D(n', q) - D(k, q) - margin)
///
/// and does not look at the loss of the encoder: its negative is to be near the query and near a real row, and no
/// farther from the query than the positive and the margin.
class DamlGenerator : public NegativeGenerator {
 public:
  DamlGenerator(const DamlOptions& options, at::TensorOptions tensors);
  GeneratedNegatives make(const GeneratorInput& input) const override;
  std::vector<at::Tensor> parameters() const override { return network_.parameters(); }
  double share_of_loss() const override { return 0.0; }
  bool needs_seeds() const override { return true; }

 private:
  DamlOptions options_;
  Perceptron network_;
};

}  // namespace negatron

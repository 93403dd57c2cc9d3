#pragma once

#include <cstdint>
#include <vector>

#include <ATen/ATen.h>

namespace negatron {

/// What negatives are made of: own queries of a step, b of them, without gradient.
struct GeneratorInput {
  at::Tensor queries;  // [b, d] unit rows
  at::Tensor keys;     // [b, d] their positives
  /// [b, d] of each query the hardest row of the whole bank, 0 where there is none; undefined unless needs_seeds().
  at::Tensor seeds;
  /// Position in the global batch of the first query: numbers that are drawn depend on that and the step alone.
  std::int64_t first = 0;
  std::int64_t step = 0;
};

struct GeneratedNegatives {
  at::Tensor vectors;   // [b, L, d] unit rows, with gradient to the generator's parameters
  at::Tensor own_loss;  // [b] what the generator minimises of itself, with gradient
};

/// A network that makes negatives for each query, and is trained with the encoder. Its parameters are replicated, and
/// equal on all ranks from the start; it never communicates. For the encoder what it makes are constants.
class NegativeGenerator {
 public:
  virtual ~NegativeGenerator() = default;

  /// Local.
  virtual GeneratedNegatives make(const GeneratorInput& input) const = 0;
  virtual std::vector<at::Tensor> parameters() const = 0;
  /// How often the gradient of the encoder's loss counts for the parameters, beside that of own_loss: -1 for an
  /// adversary, who raises the loss, 0 for who does not look at it.
  virtual double share_of_loss() const = 0;
  virtual bool needs_seeds() const { return false; }
};

}  // namespace negatron

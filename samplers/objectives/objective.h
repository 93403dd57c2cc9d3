#pragma once

#include <cstdint>
#include <vector>

#include <torch/autograd.h>

#include "comm/communicator.h"
#include "samplers/pass/pass.h"

namespace negatron {

/// This rank's b = share() rows of the global batch.
struct ObjectiveInput {
  at::Tensor queries;  // [b, d] unit rows, fp32 or fp64, with gradient
  at::Tensor keys;     // [b, d] unit rows, same dtype; with gradient when needs_key_gradient()
  /// Of the bank, for own queries, at scales(); empty when !needs_bank().
  PassResult negatives;
  std::int64_t global_batch = 0;
};

/// All scalars; sums over this rank's queries, to be summed over ranks and divided by the global batch.
struct ObjectiveOutput {
  /// This rank's part of the global mean, with gradient: its sum over ranks is the loss, and the sum over ranks of the
  /// gradients with respect to parameters is the gradient of the loss, exactly, also for ragged batches.
  at::Tensor loss;
  /// Sum of q . k+.
  at::Tensor positive_similarity;
  /// Sum of q . O: the mean similarity to negatives as the softmax weights them.
  at::Tensor negative_similarity;
  /// Queries whose positive is strictly more similar than every negative (proxy-task accuracy, algorithms.md 13.2).
  at::Tensor correct;
};

/// A contrastive loss. Knows nothing of how its negatives were sampled.
class Objective {
 public:
  virtual ~Objective() = default;

  /// The scales at which it wants the bank scored.
  virtual std::vector<double> scales() const = 0;
  virtual bool needs_bank() const = 0;
  /// Whether it gives the keys a gradient, so that both views go through the query encoder.
  virtual bool needs_key_gradient() const = 0;
  /// Collective when in-batch, else local. Throws std::invalid_argument when the input does not fit.
  virtual ObjectiveOutput compute(Communicator& comm, const ObjectiveInput& input) = 0;
  /// To be optimized with the encoder, replicated: the log of a learned scale, or nothing. Their gradients are this
  /// rank's part, to be summed over ranks like all others.
  virtual std::vector<at::Tensor> parameters() const = 0;
};

/// Throws std::invalid_argument unless queries and keys are this rank's share [b, d] in one of fp32 and fp64, and the
/// bank's results, when needed, are for the same b queries.
void check_objective_input(const Communicator& comm, const ObjectiveInput& input, bool needs_bank);

}  // namespace negatron

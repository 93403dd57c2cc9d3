#pragma once

#include <cstdint>

#include <torch/nn/module.h>

#include "comm/communicator.h"

namespace negatron {

/// Batch normalisation (Ioffe & Szegedy, ICML 2015) over the rows of all ranks, so that the answer does not depend on
/// how a batch is split: y = weight * (x - mean) / sqrt(variance + 1e-5) + bias, per feature. Statistics are sums in
/// the dtype of the parameters (fp32 or fp64), whatever dtype the rows come in.
///
/// Training mode: mean and variance are those of the batch. Collective, also for a rank without rows: two all_reduces
/// forward, F + 1 and F numbers, and one of 2F numbers backward. Running statistics move by a tenth towards the
/// batch's, with torch's unbiased variance; they stand still when the batch has one row or is not finite, so that a
/// step which is skipped leaves nothing behind.
/// Evaluation mode: running statistics, each row for itself. Local.
///
/// This is the one collective that happens inside backward. Its order is that of the graph: autograd runs functions
/// latest first, by the order in which this thread made them, and ranks build the same graph, also where a share is
/// empty. Hence: the number of calls and what depends on them must never be decided by a rank's own data.
///
/// Gradients are those of the sum of all ranks' losses: exact for the rows; for weight and bias this rank's part, as
/// GradientReducer expects. Differentiable once.
class GlobalBatchNorm : public torch::nn::Module {
 public:
  /// `comm` outlives the layer and its graphs. Local.
  GlobalBatchNorm(std::int64_t features, Communicator& comm);

  /// rows [b, F] -> [b, F] in the dtype of the rows; b may differ over ranks. Throws std::invalid_argument for another
  /// shape.
  torch::Tensor forward(const torch::Tensor& rows);

  torch::Tensor weight;  // [F]
  torch::Tensor bias;    // [F]

 private:
  /// mean, variance: [F]; count: [1], rows over all ranks.
  void follow(const at::Tensor& mean, const at::Tensor& variance, const at::Tensor& count);

  Communicator& comm_;
  torch::Tensor running_mean_;      // [F]
  torch::Tensor running_variance_;  // [F]
};

}  // namespace negatron

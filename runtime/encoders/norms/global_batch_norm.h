#pragma once

#include <cstdint>

#include <torch/nn/module.h>

#include "comm/communicator.h"
#include "runtime/encoders/norms/batch_norm_pieces.h"

namespace negatron {

/// Batch normalisation (Ioffe & Szegedy, ICML 2015) over the samples of all ranks, so that the answer does not depend
/// on how a batch is split: y = weight * (x - mean) / sqrt(variance + 1e-5) + bias, per feature; of maps, over images
/// and positions. Statistics are taken in the dtype of the parameters (fp32 or fp64), whatever dtype the samples come
/// in.
///
/// Training mode: mean and variance are those of the batch. Collective, also for a rank without samples: one all_gather
/// forward, of 2F + 1 numbers of each rank, and one all_reduce backward, of 2F (one rank on a GPU asks nobody). Running
/// statistics move by a tenth towards the batch's, with torch's unbiased variance; they stand still when the batch has
/// one value of a feature or is not finite, so that a step which is skipped leaves nothing behind. Evaluation mode:
/// running statistics, each sample for itself. Local.
///
/// This is the one collective that happens inside backward. Its order is that of the graph: autograd runs functions
/// latest first, by the order in which this thread made them, and ranks build the same graph, also where a share is
/// empty. Hence: the number of calls and what depends on them must never be decided by a rank's own data.
///
/// Gradients are those of the sum of all ranks' losses: exact for the samples; for weight and bias this rank's part, as
/// GradientReducer expects. Differentiable once.
class GlobalBatchNorm : public torch::nn::Module {
 public:
  /// With `counts_batches` it has torchvision's buffer num_batches_tracked too. In training mode it is put together of
  /// `pieces`, or, without any, of those of the samples' device, where that has some. `comm` and `pieces` outlive the
  /// layer and its graphs. Local.
  GlobalBatchNorm(std::int64_t features, Communicator& comm, bool counts_batches = false,
                  const BatchNormPieces* pieces = nullptr);

  /// rows [b, F] or maps [b, F, h, w] -> the same shape, dtype and memory format; b may differ over ranks. Throws
  /// std::invalid_argument for another shape.
  torch::Tensor forward(const torch::Tensor& samples);

  using torch::nn::Module::to;
  // torch's own would turn the counter into a floating-point number.
  void to(torch::Device device, torch::Dtype dtype, bool non_blocking = false) override;
  void to(torch::Dtype dtype, bool non_blocking = false) override;

  torch::Tensor weight;  // [F]
  torch::Tensor bias;    // [F]

 private:
  /// Training mode of a job of one rank on a GPU.
  torch::Tensor of_one_rank(const torch::Tensor& samples);
  /// mean, variance: [F]; count: [1], values of a feature over all ranks.
  void follow(const at::Tensor& mean, const at::Tensor& variance, const at::Tensor& count);

  Communicator& comm_;
  const BatchNormPieces* pieces_;
  torch::Tensor running_mean_;      // [F]
  torch::Tensor running_variance_;  // [F]
  torch::Tensor batches_;           // [], int64; undefined when batches are not counted
};

}  // namespace negatron

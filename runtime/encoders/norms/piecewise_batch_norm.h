#pragma once

#include <ATen/ATen.h>

#include "comm/communicator.h"
#include "runtime/encoders/norms/batch_norm_pieces.h"

namespace negatron {

/// What a batch norm in training mode made, and of what statistics.
struct NormalizedBatch {
  at::Tensor output;    // like the samples
  at::Tensor mean;      // [F] over all ranks
  at::Tensor variance;  // [F], biased
  at::Tensor count;     // [1] values of a feature over all ranks
};

/// GlobalBatchNorm in training mode out of five pieces: the same numbers and the same messages, in fewer kernels.
/// samples [b, F] or [b, F, h, w], weight and bias [F]; b may be 0. The output is differentiable in all three, once,
/// and its statistics are not. Collective, as is backward: an all_gather of 2F + 1 numbers of each rank, an all_reduce
/// of 2F. `comm` and `pieces` outlive the graph.
NormalizedBatch piecewise_batch_norm(const at::Tensor& samples, const at::Tensor& weight, const at::Tensor& bias,
                                     Communicator& comm, const BatchNormPieces& pieces);

}  // namespace negatron

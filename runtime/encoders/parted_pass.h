#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include <ATen/ATen.h>
#include <torch/nn/module.h>

#include "comm/share.h"
#include "runtime/encoders/random_state.h"

namespace negatron {

/// How the samples of a batch are divided into parts, which pass the encoders one after the other. Sample g of the
/// global batch is in part g mod `count`: which samples meet in a part, and so in its batch norms, does not depend on
/// the number of ranks.
struct BatchParts {
  std::int64_t count = 1;
  /// The place of this rank's first sample in the global batch.
  std::int64_t first = 0;

  /// Those of `rows` [b, ...] that are in part `part`, in order: a view, empty where this rank has none there. Local.
  at::Tensor of(const at::Tensor& rows, std::int64_t part) const;
};

/// `count` parts for a whole batch of `global_batch` samples, and for one of `global_size`, of which this rank has
/// `own`, as few as make no part larger. Equal on all ranks but for `first`. Local.
BatchParts divide_batch(std::int64_t count, std::int64_t global_batch, std::int64_t global_size, Range own);

/// Images [n, C, H, W] -> rows [n, d], with a graph where gradients are enabled.
using RowNetwork = std::function<at::Tensor(const at::Tensor& images)>;

/// Rows [V b, d] of `views`, V tensors [b, C, H, W], view by view, each part of all of them in one pass. Nothing is
/// kept for backward. Collective or local as `network` is, once a part.
at::Tensor rows_in_parts(const RowNetwork& network, const std::vector<at::Tensor>& views, const BatchParts& parts);

/// A network's rows of a whole batch with their exact gradient, while the activations of one part alone are held: the
/// gradient cache of Gao, Zhang, Han & Callan (RepL4NLP 2021).
///
///   1  the rows of all parts, without graph            the constructor
///   2  a loss of all rows, and its backward            the caller; it ends at rows()
///   3  part by part, the rows once more with graph,    backward(part)
///      and backward of that part's rows of the gradient
///
/// The second pass of a part computes what the first one did: random numbers of the network (dropout) are the same, and
/// its buffers (running statistics) move in the first pass alone. Batch norms are over a part, and their statistics
/// move once a part; of a network whose rows depend on their own images alone, the gradient is the whole batch's. It
/// costs one forward pass of each image more than a whole batch does.
class PartedPass {
 public:
  /// `views` and `parts` as of rows_in_parts(); `module` is what `network` runs, and outlives the pass. Collective or
  /// local as `network` is, once a part.
  PartedPass(RowNetwork network, const torch::nn::Module& module, std::vector<at::Tensor> views,
             const BatchParts& parts);

  /// [V b, d], a leaf that takes gradient.
  const at::Tensor& rows() const noexcept { return rows_; }
  std::int64_t parts() const noexcept { return parts_.count; }
  /// Adds to the parameters' gradients what one part contributes to that of rows(), which must have its own. Each part
  /// once, in the same order on every rank. Collective or local as the backward of `network` is.
  void backward(std::int64_t part);

 private:
  RowNetwork network_;
  std::vector<at::Tensor> buffers_;
  std::vector<at::Tensor> views_;
  BatchParts parts_;
  at::Tensor rows_;
  /// Before the first pass of each part.
  std::vector<RandomState> random_;
};

}  // namespace negatron

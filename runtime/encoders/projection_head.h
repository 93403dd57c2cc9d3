#pragma once

#include <cstdint>
#include <optional>

#include <torch/nn/modules/linear.h>

#include "runtime/encoders/norms/global_batch_norm.h"
#include "samplers/bank/row_length.h"

namespace negatron {

enum class HeadNorm {
  kNone,
  /// Batch norm over the rows of all ranks, between the hidden layer and its ReLU.
  kBatch,
};

/// What was asked for, or, of nothing, batch norm for objectives that have a predictor and else none. Without negatives
/// it is the batch norm that keeps embeddings from all becoming equal; with negatives it only lets a query and its key
/// recognise each other by their batch. Local.
HeadNorm choose_head_norm(std::optional<HeadNorm> asked, bool has_predictor) noexcept;

struct ProjectionHeadOptions {
  std::int64_t hidden = 512;
  /// Width d of queries and keys, and of the vectors that bank rows are made of.
  std::int64_t output = 128;
  HeadNorm norm = HeadNorm::kNone;
  /// kAsMade and kDistance leave out the division by the length at the end; the two further numbers of distances are
  /// the loss's business.
  RowLength length = RowLength::kUnit;

  /// Throws std::invalid_argument in a sentence that names the flag.
  void validate() const;
};

/// Linear, batch norm if asked for, ReLU, Linear, then rows scaled to unit length unless asked not to: the head of MoCo
/// v2 and SimCLR, with the norm that of BYOL, thrown away after pretraining.
class ProjectionHead : public torch::nn::Module {
 public:
  /// `comm`, which outlives the head, is needed by a norm only. Throws std::invalid_argument when it is missing. Local.
  ProjectionHead(std::int64_t features, const ProjectionHeadOptions& options, Communicator* comm = nullptr);

  /// features [b, F] -> [b, output], rows of `length` in the dtype of the parameters, also under autocast. A zero row
  /// stays zero. With a norm, collective in training mode and in its backward; otherwise local.
  torch::Tensor forward(const torch::Tensor& features);

  const ProjectionHeadOptions& options() const noexcept { return options_; }
  Communicator* communicator() const noexcept { return comm_; }

 private:
  ProjectionHeadOptions options_;
  Communicator* comm_;
  torch::nn::Linear hidden_;
  /// Null without a norm.
  std::shared_ptr<GlobalBatchNorm> norm_;
  torch::nn::Linear output_;
};

}  // namespace negatron

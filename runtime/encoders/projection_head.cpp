#include "runtime/encoders/projection_head.h"

#include <string>

namespace negatron {

HeadNorm choose_head_norm(std::optional<HeadNorm> asked, bool has_predictor) noexcept {
  return asked.value_or(has_predictor ? HeadNorm::kBatch : HeadNorm::kNone);
}

void ProjectionHeadOptions::validate() const {
  if (hidden < 1) throw std::invalid_argument("--head-hidden must be at least 1, got " + std::to_string(hidden) + ".");
  if (output < 1) throw std::invalid_argument("--width must be at least 1, got " + std::to_string(output) + ".");
}

ProjectionHead::ProjectionHead(std::int64_t features, const ProjectionHeadOptions& options, Communicator* comm)
    : options_(options), comm_(comm), hidden_(nullptr), output_(nullptr) {
  options.validate();
  hidden_ = register_module("hidden", torch::nn::Linear(features, options.hidden));
  if (options.norm == HeadNorm::kBatch) {
    if (comm == nullptr) throw std::invalid_argument("A head with batch norm needs the ranks that it is over.");
    norm_ = register_module("norm", std::make_shared<GlobalBatchNorm>(options.hidden, *comm));
  }
  output_ = register_module("output", torch::nn::Linear(options.hidden, options.output));
}

torch::Tensor ProjectionHead::forward(const torch::Tensor& features) {
  torch::Tensor hidden = hidden_(features);  // [b, hidden]
  if (norm_) hidden = norm_->forward(hidden);
  const torch::Tensor projected = output_(hidden.relu());  // [b, output]
  // Out of autocast's bf16 first: the bank and the loss rely on rows of unit length to fp32 rounding.
  const torch::Tensor rows = projected.to(output_->weight.scalar_type());
  if (options_.length != RowLength::kUnit) return rows;
  // Keeps the quotient of a zero row, and its gradient, finite; the smallest norm that a trained row could have is far
  // above.
  constexpr double kSmallestNorm = 1e-12;
  return rows / rows.norm(2, 1, true).clamp_min(kSmallestNorm);
}

}  // namespace negatron

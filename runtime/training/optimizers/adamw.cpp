#include "runtime/training/optimizers/adamw.h"

#include <cmath>

#include "runtime/training/optimizers/moved_together.h"

namespace negatron {
namespace {

constexpr const char* kSteps = "adam_steps";
constexpr double kLeastLength = 1e-8;

/// That of a tensor that has not moved yet is 0.
at::Tensor begun(TensorMemory& memory, const at::Tensor& parameter) {
  at::Tensor& tensor = memory.of(parameter);
  if (!tensor.defined()) tensor = at::zeros_like(parameter);
  return tensor;
}

}  // namespace

AdamW::AdamW(const TrainedGroups& groups, const OptimizerOptions& options)
    : options_(options),
      decayed_(moved_together(groups.decayed)),
      plain_(moved_together(groups.plain)),
      means_("adam_mean"),
      squares_("adam_square") {}

void AdamW::step(double learning_rate) {
  const at::NoGradGuard no_grad;
  for (const auto& tensors : decayed_) move(tensors, options_.weight_decay, learning_rate);
  for (const auto& tensors : plain_) move(tensors, 0.0, learning_rate);
}

void AdamW::move(const std::vector<at::Tensor>& tensors, double weight_decay, double learning_rate) {
  const auto [parameters, gradients] = Moving::of(tensors);
  if (parameters.empty()) return;
  std::vector<at::Tensor> means, squares;
  // One of each for a tensor, as not all have moved equally often.
  std::vector<at::Scalar> length_shares, moves;
  for (const at::Tensor& parameter : parameters) {
    means.push_back(begun(means_, parameter));
    squares.push_back(begun(squares_, parameter));
    const auto step = static_cast<double>(++steps_[parameter.unsafeGetTensorImpl()]);
    length_shares.emplace_back(std::sqrt(1.0 - std::pow(options_.beta2, step)));
    moves.emplace_back(-(learning_rate / (1.0 - std::pow(options_.beta1, step))));
  }
  if (weight_decay != 0.0) at::_foreach_mul_(parameters, 1.0 - learning_rate * weight_decay);
  at::_foreach_mul_(means, options_.beta1);
  at::_foreach_add_(means, gradients, 1.0 - options_.beta1);
  at::_foreach_mul_(squares, options_.beta2);
  at::_foreach_addcmul_(squares, gradients, gradients, 1.0 - options_.beta2);
  std::vector<at::Tensor> lengths = at::_foreach_sqrt(squares);
  at::_foreach_div_(lengths, length_shares);
  at::_foreach_add_(lengths, kLeastLength);
  at::_foreach_addcdiv_(parameters, means, lengths, moves);
}

std::vector<Optimizer::Memory> AdamW::memories() const {
  return {Memory{means_.name()}, Memory{squares_.name()}, Memory{kSteps, /*is_count=*/true}};
}

Optimizer::Remembered AdamW::remembered(const at::Tensor& parameter) const {
  const auto found = steps_.find(parameter.unsafeGetTensorImpl());
  if (found == steps_.end()) return {};
  Remembered remembered{{kSteps, at::full({}, found->second, at::kLong)}};
  means_.add_to(remembered, parameter);
  squares_.add_to(remembered, parameter);
  return remembered;
}

void AdamW::restore(const at::Tensor& parameter, const Remembered& saved) {
  means_.restore(parameter, saved);
  squares_.restore(parameter, saved);
  steps_.erase(parameter.unsafeGetTensorImpl());
  if (!saved.empty()) steps_[parameter.unsafeGetTensorImpl()] = saved.at(kSteps).item<std::int64_t>();
}

}  // namespace negatron

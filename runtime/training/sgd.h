#pragma once

#include <unordered_map>

#include "runtime/training/optimizer.h"

namespace negatron {

/// SGD with momentum as torch has it, bit for bit:
///   g <- gradient + weight_decay * w (of tensors that decay),  v <- g at first, then momentum * v + g,
///   w <- w - rate * v, with Nesterov w <- w - rate * (g + momentum * v).
/// On a GPU all tensors of a group move in a few kernels; on a CPU one after the other, each while it is in the cache.
class Sgd : public Optimizer {
 public:
  Sgd(const TrainedGroups& groups, const OptimizerOptions& options);

  void step(double learning_rate) override;
  std::vector<Memory> memories() const override;
  Remembered remembered(const at::Tensor& parameter) const override;
  void restore(const at::Tensor& parameter, const Remembered& saved) override;

 private:
  /// Tensors that move in one call.
  struct Together {
    std::vector<at::Tensor> parameters;
    double weight_decay = 0.0;
  };

  void move(const Together& group, double learning_rate);
  /// v of a tensor whose v is g in its first step.
  at::Tensor& velocity_of(const at::Tensor& parameter, const at::Tensor& direction, bool& is_new);

  OptimizerOptions options_;
  std::vector<Together> groups_;
  std::unordered_map<c10::TensorImpl*, at::Tensor> velocities_;
};

}  // namespace negatron

#pragma once

#include "runtime/training/optimizers/tensor_memory.h"

namespace negatron {

/// SGD with momentum as torch has it, bit for bit:
///   g <- gradient + weight_decay * w (of tensors that decay),  v <- g at first, then momentum * v + g,
///   w <- w - rate * v, with Nesterov w <- w - rate * (g + momentum * v).
class Sgd : public Optimizer {
 public:
  Sgd(const TrainedGroups& groups, const OptimizerOptions& options);

  void step(double learning_rate) override;
  std::vector<Memory> memories() const override;
  Remembered remembered(const at::Tensor& parameter) const override;
  void restore(const at::Tensor& parameter, const Remembered& saved) override;

 private:
  void move(const std::vector<at::Tensor>& tensors, double weight_decay, double learning_rate);

  OptimizerOptions options_;
  std::vector<std::vector<at::Tensor>> decayed_, plain_;
  TensorMemory velocities_;
};

}  // namespace negatron

#pragma once

#include <cstdint>
#include <unordered_map>

#include "runtime/training/optimizers/tensor_memory.h"

namespace negatron {

/// AdamW (Loshchilov and Hutter, ICLR 2019) as torch has it, bit for bit. In step t of a tensor w with gradient g:
///   w <- w - rate decay w (of tensors that decay),  m <- beta1 m + (1 - beta1) g,  s <- beta2 s + (1 - beta2) g^2,
///   w <- w - rate m / (1 - beta1^t) / (sqrt(s) / sqrt(1 - beta2^t) + 1e-8).
class AdamW : public Optimizer {
 public:
  AdamW(const TrainedGroups& groups, const OptimizerOptions& options);

  void step(double learning_rate) override;
  std::vector<Memory> memories() const override;
  Remembered remembered(const at::Tensor& parameter) const override;
  void restore(const at::Tensor& parameter, const Remembered& saved) override;

 private:
  void move(const std::vector<at::Tensor>& tensors, double weight_decay, double learning_rate);

  OptimizerOptions options_;
  std::vector<std::vector<at::Tensor>> decayed_, plain_;
  TensorMemory means_, squares_;
  /// t of each tensor that has moved.
  std::unordered_map<c10::TensorImpl*, std::int64_t> steps_;
};

}  // namespace negatron

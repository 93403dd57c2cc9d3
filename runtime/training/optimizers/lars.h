#pragma once

#include "runtime/training/optimizers/tensor_memory.h"

namespace negatron {

/// SGD with momentum for large batches: every matrix or kernel p goes as far as its own size allows (You, Gitman and
/// Ginsburg, 2017; as SimCLR, BYOL and MoCo v3 have it),
///   d = gradient + decay p,   v <- momentum v + trust |p| / |d| d,   p <- p - rate v,
/// without the factor where one of the norms is 0. What does not decay is not adapted either: v <- momentum v +
/// gradient.
class Lars : public Optimizer {
 public:
  Lars(const TrainedGroups& groups, const OptimizerOptions& options);

  void step(double learning_rate) override;
  std::vector<Memory> memories() const override;
  Remembered remembered(const at::Tensor& parameter) const override;
  void restore(const at::Tensor& parameter, const Remembered& saved) override;

 private:
  /// p <- p - rate v, with the directions added to v.
  void move(const std::vector<at::Tensor>& parameters, const std::vector<at::Tensor>& directions, double learning_rate);

  OptimizerOptions options_;
  std::vector<std::vector<at::Tensor>> decayed_, plain_;
  TensorMemory velocities_;
};

}  // namespace negatron

#pragma once

#include <map>

#include "runtime/training/optimizer.h"

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
  /// p <- p - rate v with the `direction` added to v.
  void move(at::Tensor& parameter, const at::Tensor& direction, double learning_rate);

  TrainedGroups groups_;
  OptimizerOptions options_;
  /// v of each tensor that has moved.
  std::map<const void*, at::Tensor> velocities_;
};

}  // namespace negatron

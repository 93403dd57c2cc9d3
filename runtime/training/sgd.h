#pragma once

#include <torch/optim/sgd.h>

#include "runtime/training/optimizer.h"

namespace negatron {

/// Torch's SGD with momentum, over both groups.
class Sgd : public Optimizer {
 public:
  Sgd(const TrainedGroups& groups, const OptimizerOptions& options);

  void step(double learning_rate) override;
  std::vector<Memory> memories() const override;
  Remembered remembered(const at::Tensor& parameter) const override;
  void restore(const at::Tensor& parameter, const Remembered& saved) override;

 private:
  torch::optim::SGD sgd_;
};

}  // namespace negatron

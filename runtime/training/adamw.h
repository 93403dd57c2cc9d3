#pragma once

#include <torch/optim/adamw.h>

#include "runtime/training/optimizer.h"

namespace negatron {

/// Torch's AdamW (Loshchilov and Hutter, ICLR 2019), over both groups.
class AdamW : public Optimizer {
 public:
  AdamW(const TrainedGroups& groups, const OptimizerOptions& options);

  void step(double learning_rate) override;
  std::vector<Memory> memories() const override;
  Remembered remembered(const at::Tensor& parameter) const override;
  void restore(const at::Tensor& parameter, const Remembered& saved) override;

 private:
  torch::optim::AdamW adamw_;
};

}  // namespace negatron

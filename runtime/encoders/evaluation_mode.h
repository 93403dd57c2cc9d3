#pragma once

#include <torch/nn/module.h>

namespace negatron {

/// While it lives, `module` is in evaluation mode: batch norms use running statistics, so that a row does not depend on
/// its batch and ranks need not meet. Then it is in training mode. Local.
class EvaluationMode {
 public:
  explicit EvaluationMode(torch::nn::Module& module) : module_(module) { module_.eval(); }
  ~EvaluationMode() { module_.train(); }
  EvaluationMode(const EvaluationMode&) = delete;
  EvaluationMode& operator=(const EvaluationMode&) = delete;

 private:
  torch::nn::Module& module_;
};

}  // namespace negatron

#pragma once

#include <string>
#include <unordered_map>

#include "runtime/training/optimizers/optimizer.h"

namespace negatron {

/// One kind of what an optimizer remembers, for each trained tensor something like it: a velocity, a mean of gradients.
class TensorMemory {
 public:
  /// `name` is the one in snapshots.
  explicit TensorMemory(std::string name) : name_(std::move(name)) {}

  const std::string& name() const { return name_; }
  /// Undefined as long as nothing was put there.
  at::Tensor& of(const at::Tensor& parameter) { return tensors_[parameter.unsafeGetTensorImpl()]; }

  /// What is remembered for `parameter`, live; adds nothing where that is nothing.
  void add_to(Optimizer::Remembered& remembered, const at::Tensor& parameter) const;
  /// Remembers a copy of what `saved` has instead, in the tensor's type and place; nothing where it has none.
  void restore(const at::Tensor& parameter, const Optimizer::Remembered& saved);

 private:
  std::string name_;
  std::unordered_map<c10::TensorImpl*, at::Tensor> tensors_;
};

}  // namespace negatron

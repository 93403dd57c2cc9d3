#include "runtime/training/optimizers/tensor_memory.h"

namespace negatron {

void TensorMemory::add_to(Optimizer::Remembered& remembered, const at::Tensor& parameter) const {
  const auto found = tensors_.find(parameter.unsafeGetTensorImpl());
  if (found != tensors_.end() && found->second.defined()) remembered[name_] = found->second;
}

void TensorMemory::restore(const at::Tensor& parameter, const Optimizer::Remembered& saved) {
  tensors_.erase(parameter.unsafeGetTensorImpl());
  const auto found = saved.find(name_);
  if (found == saved.end()) return;
  of(parameter) = found->second.to(parameter.device(), parameter.scalar_type(), false, /*copy=*/true);
}

}  // namespace negatron

#include "runtime/training/optimizers/moved_together.h"

namespace negatron {

std::vector<std::vector<at::Tensor>> moved_together(const std::vector<at::Tensor>& tensors) {
  std::vector<std::vector<at::Tensor>> lists;
  for (const at::Tensor& tensor : tensors) {
    const bool joins =
        !lists.empty() && !tensor.is_cpu() && lists.back().front().options().type_equal(tensor.options());
    if (!joins) lists.emplace_back();
    lists.back().push_back(tensor);
  }
  return lists;
}

Moving Moving::of(const std::vector<at::Tensor>& tensors) {
  Moving moving;
  for (const at::Tensor& tensor : tensors) {
    if (!tensor.grad().defined()) continue;
    moving.parameters.push_back(tensor);
    moving.gradients.push_back(tensor.grad());
  }
  return moving;
}

}  // namespace negatron

// torch's Module::to moves a parameter by set_data, which takes tensors of the devices that torch itself ships and
// refuses any other, and with it the stand-in. Defined here, in the program, these two take the place of torch's: they
// move the same tensors in the same order, and ask nobody.

#include <torch/nn/module.h>

namespace torch::nn {
namespace {

void move(const at::Tensor& tensor, const at::Tensor& moved) {
  if (!tensor.defined()) return;
  tensor.unsafeGetTensorImpl()->shallow_copy_from(moved.detach().getIntrusivePtr());
}

}  // namespace

void Module::to(torch::Device device, torch::Dtype dtype, bool non_blocking) {
  for (const auto& child : children_) child.value()->to(device, dtype, non_blocking);
  for (const auto& parameter : named_parameters(/*recurse=*/false)) {
    move(parameter.value(), parameter.value().detach().to(device, dtype, non_blocking));
  }
  for (const auto& buffer : named_buffers(/*recurse=*/false)) {
    move(buffer.value(), buffer.value().to(device, dtype, non_blocking));
  }
}

}  // namespace torch::nn

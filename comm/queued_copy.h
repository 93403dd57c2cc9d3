#pragma once

#include <ATen/ATen.h>

namespace negatron {

/// The tensor on `device`, itself where it lies there. From the host to a device the values pass through pinned memory,
/// and the host does not wait: the copy is queued, and `tensor` may be changed as soon as this returns (staging.h). In
/// other directions as Tensor::to. Without a trace in autograd. Local.
at::Tensor queued_copy(const at::Tensor& tensor, at::Device device);

}  // namespace negatron

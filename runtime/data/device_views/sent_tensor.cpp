#include "runtime/data/device_views/sent_tensor.h"

#include "comm/queued_copy.h"

namespace negatron {

at::Tensor empty_to_send(at::IntArrayRef sizes, at::ScalarType type, at::Device device) {
  return at::empty(sizes, at::TensorOptions(type).pinned_memory(device.is_cuda()));
}

at::Tensor sent(const at::Tensor& filled, at::Device device) {
  // queued_copy() would pass what is pinned already through pinned memory of its own, part by part. The cache of pinned
  // memory hands the block out again when this stream has read it.
  return device.is_cuda() ? filled.to(device, filled.scalar_type(), /*non_blocking=*/true)
                          : queued_copy(filled, device);
}

}  // namespace negatron

#include "comm/queued_copy.h"

#include "comm/staging.h"

namespace negatron {

at::Tensor queued_copy(const at::Tensor& tensor, at::Device device) {
  if (!tensor.is_cpu() || device.is_cpu()) return tensor.to(device);
  return Staging(device).bring(tensor.contiguous());
}

}  // namespace negatron

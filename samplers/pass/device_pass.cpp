#include "samplers/pass/device_pass.h"

namespace negatron {

PassResult DevicePass::run(const Rows& rows, const PassRequest& request) const {
  const Pass& own = rows.vectors.is_cuda() ? static_cast<const Pass&>(on_gpu_) : on_cpu_;
  return own.run(rows, request);
}

}  // namespace negatron

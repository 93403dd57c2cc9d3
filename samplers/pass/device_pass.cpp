#include "samplers/pass/device_pass.h"

namespace negatron {

const Pass& DevicePass::own_of(const Rows& rows) const {
  return rows.vectors.is_cuda() ? static_cast<const Pass&>(on_gpu_) : on_cpu_;
}

PassResult DevicePass::run(const Rows& rows, const PassRequest& request) const {
  return own_of(rows).run(rows, request);
}

at::Tensor DevicePass::best(const Rows& rows, const Candidates& candidates, const SelectionOrder& order,
                            std::int64_t m) const {
  return own_of(rows).best(rows, candidates, order, m);
}

}  // namespace negatron

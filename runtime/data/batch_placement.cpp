#include "runtime/data/batch_placement.h"

#include "comm/queued_copy.h"

namespace negatron {
namespace {

class QueuedPlacement : public BatchPlacement {
 public:
  explicit QueuedPlacement(at::Device device) : device_(device) {}
  Batch place(Batch batch) const override {
    batch.make_views_on(device_);
    for (at::Tensor* view : batch.views()) *view = queued_copy(*view, device_);
    return batch;
  }

 private:
  at::Device device_;
};

}  // namespace

std::shared_ptr<const BatchPlacement> batch_placement_on(at::Device device) {
  if (device.is_cuda()) return side_stream_placement(device);
  return std::make_shared<QueuedPlacement>(device);
}

}  // namespace negatron

#include "runtime/metrics/device_marks.h"

#include <ATen/cuda/CUDAEvent.h>
#include <c10/cuda/CUDAStream.h>

namespace negatron {
namespace {

class EventMark : public DeviceMark {
 public:
  explicit EventMark(c10::DeviceIndex device) : event_(cudaEventDefault) {
    event_.record(c10::cuda::getCurrentCUDAStream(device));
  }
  bool reached() const override { return event_.query(); }
  double milliseconds_since(const DeviceMark& earlier) const override {
    return static_cast<double>(static_cast<const EventMark&>(earlier).event_.elapsed_time(event_));
  }

 private:
  at::cuda::CUDAEvent event_;
};

class EventMarks : public DeviceMarks {
 public:
  explicit EventMarks(c10::DeviceIndex device) : device_(device) {}
  std::shared_ptr<const DeviceMark> mark() override { return std::make_shared<EventMark>(device_); }

 private:
  c10::DeviceIndex device_;
};

}  // namespace

std::unique_ptr<DeviceMarks> device_marks_of(at::Device device) {
  if (!device.is_cuda()) return nullptr;
  return std::make_unique<EventMarks>(device.index());
}

}  // namespace negatron

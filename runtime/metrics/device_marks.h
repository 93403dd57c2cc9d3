#pragma once

#include <memory>

#include <ATen/ATen.h>

namespace negatron {

/// A place in the work that is queued on a device.
class DeviceMark {
 public:
  virtual ~DeviceMark() = default;
  /// Whether the device has come there. Never waits.
  virtual bool reached() const = 0;
  /// By the device's clock; both reached.
  virtual double milliseconds_since(const DeviceMark& earlier) const = 0;
};

/// Sets marks in what a thread queues on a device: the seam between StepTimer and CUDA's events. Local.
class DeviceMarks {
 public:
  virtual ~DeviceMarks() = default;
  /// Behind all that this thread has queued so far.
  virtual std::shared_ptr<const DeviceMark> mark() = 0;
};

/// CUDA's events on `device`; null elsewhere, where work is done when it is queued. Local.
std::unique_ptr<DeviceMarks> device_marks_of(at::Device device);

}  // namespace negatron

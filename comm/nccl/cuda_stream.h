#pragma once

#include <memory>
#include <string>

#include <ATen/ATen.h>

namespace negatron {

/// Device `device` of this process as tensors name it. Local.
at::Device tensor_device(int device);

/// A name that no other device of any host has. Throws CommError when there is no such device. Local.
std::string device_identity(int device);

/// The end of what was queued on a stream. Thread-safe.
class CudaEvent {
 public:
  virtual ~CudaEvent() = default;
  /// True when the device has come so far. Never blocks.
  virtual bool done() = 0;
  /// Work that the calling thread queues from now on waits for it; the host does not.
  virtual void make_current_stream_wait() = 0;
};

/// A stream beside those on which the caller computes: the seam between the NCCL communicator and CUDA, so that a test
/// can put host memory in its place. Local.
class CudaStream {
 public:
  virtual ~CudaStream() = default;
  /// The cudaStream_t.
  virtual void* handle() const noexcept = 0;
  /// What is queued here from now on waits for what the caller's current stream holds now.
  virtual void wait_for_current_stream() = 0;
  virtual std::shared_ptr<CudaEvent> record() = 0;
  /// The memory of the tensor is not handed out again before the work queued here so far is done.
  virtual void keep(const at::Tensor& tensor) = 0;
};

std::unique_ptr<CudaStream> make_cuda_stream(int device);

/// While it lives, `device` is the calling thread's current device.
class CurrentDevice {
 public:
  explicit CurrentDevice(int device);
  ~CurrentDevice();
  CurrentDevice(const CurrentDevice&) = delete;
  CurrentDevice& operator=(const CurrentDevice&) = delete;

 private:
  int previous_;
};

}  // namespace negatron

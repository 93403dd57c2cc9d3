#include "comm/nccl/cuda_stream.h"

#include <ATen/cuda/CUDAEvent.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAStream.h>
#include <cuda_runtime_api.h>

#include "comm/error.h"

namespace negatron {
namespace {

void cuda_check(cudaError_t code, const char* function) {
  if (code != cudaSuccess) throw CommError(std::string(function) + " failed: " + cudaGetErrorString(code));
}

c10::DeviceIndex device_index(int device) {
  return static_cast<c10::DeviceIndex>(device);
}

class DeviceEvent : public CudaEvent {
 public:
  // Marks what is queued on the stream up to now.
  explicit DeviceEvent(const c10::cuda::CUDAStream& stream) : device_(stream.device_index()) { event_.record(stream); }

  bool done() override { return event_.query(); }
  void make_current_stream_wait() override { event_.block(c10::cuda::getCurrentCUDAStream(device_)); }

 private:
  c10::DeviceIndex device_;
  at::cuda::CUDAEvent event_;
};

class DeviceStream : public CudaStream {
 public:
  // High priority: a collective is short, and others wait for it.
  explicit DeviceStream(int device)
      : stream_(c10::cuda::getStreamFromPool(/*isHighPriority=*/true, device_index(device))) {}

  void* handle() const noexcept override { return stream_.stream(); }

  void wait_for_current_stream() override {
    at::cuda::CUDAEvent event;
    event.record(c10::cuda::getCurrentCUDAStream(stream_.device_index()));
    event.block(stream_);
  }

  std::shared_ptr<CudaEvent> record() override { return std::make_shared<DeviceEvent>(stream_); }

  // Without it the caching allocator would hand the memory out again as soon as the last tensor on it goes, although
  // the device may not have come to this stream's work yet.
  void keep(const at::Tensor& tensor) override {
    c10::cuda::CUDACachingAllocator::recordStream(tensor.storage().data_ptr(), stream_);
  }

 private:
  c10::cuda::CUDAStream stream_;
};

}  // namespace

at::Device tensor_device(int device) {
  return {at::kCUDA, device_index(device)};
}

std::string device_identity(int device) {
  // The UUID, because numbers of devices mean something else in each process: under CUDA_VISIBLE_DEVICES every rank may
  // call its own device 0.
  cudaDeviceProp properties;
  cuda_check(cudaGetDeviceProperties(&properties, device), "cudaGetDeviceProperties");
  return {properties.uuid.bytes, sizeof properties.uuid.bytes};
}

std::unique_ptr<CudaStream> make_cuda_stream(int device) {
  return std::make_unique<DeviceStream>(device);
}

CurrentDevice::CurrentDevice(int device) : previous_(0) {
  cuda_check(cudaGetDevice(&previous_), "cudaGetDevice");
  cuda_check(cudaSetDevice(device), "cudaSetDevice");
}

CurrentDevice::~CurrentDevice() {
  cudaSetDevice(previous_);
}

}  // namespace negatron

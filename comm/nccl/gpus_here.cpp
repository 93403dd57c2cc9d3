#include "comm/nccl/gpus_here.h"

#include <cuda_runtime_api.h>

namespace negatron {
namespace {

Gpu gpu_of(int device, int count) {
  Gpu gpu;
  cudaDeviceProp properties{};
  if (cudaGetDeviceProperties(&properties, device) == cudaSuccess) {
    gpu.name = properties.name;
    gpu.memory = static_cast<std::int64_t>(properties.totalGlobalMem);
    gpu.has_ecc = properties.ECCEnabled != 0;
  }
  for (int other = 0; other < count; ++other) {
    int can = 0;
    if (other != device && cudaDeviceCanAccessPeer(&can, device, other) == cudaSuccess) gpu.peers += can;
  }
  return gpu;
}

}  // namespace

GpusHere gpus_here() {
  int count = 0;
  const cudaError_t code = cudaGetDeviceCount(&count);
  if (code != cudaSuccess) return {{}, cudaGetErrorString(code)};
  GpusHere here;
  for (int device = 0; device < count; ++device) here.gpus.push_back(gpu_of(device, count));
  return here;
}

std::string cuda_driver_version() {
  // CUDA writes 13.1 as 13010.
  constexpr int kMajor = 1000, kMinor = 10;
  int version = 0;
  if (cudaDriverGetVersion(&version) != cudaSuccess || version == 0) return {};
  return std::to_string(version / kMajor) + "." + std::to_string(version % kMajor / kMinor);
}

}  // namespace negatron

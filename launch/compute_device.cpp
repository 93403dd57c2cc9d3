#include "launch/compute_device.h"

#include <dlfcn.h>

#include <string>

#include <ATen/detail/CUDAHooksInterface.h>

#include "comm/error.h"
#include "launch/exit_code.h"

namespace negatron {
namespace {

/// Returns what is wrong with LibTorch's part for GPUs, and nothing when it is there.
std::string load_gpu_part() {
  // Its symbols are for the libraries that it brings along. Never closed: ATen keeps what it registers.
  if (dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) == nullptr) return dlerror();
  if (at::detail::getCUDAHooks().hasCUDART()) return {};
  return "ATen was asked about GPUs before its part for them was loaded";
}

}  // namespace

at::Device compute_device(const Topology& topology, at::DeviceType kind) {
  if (kind == at::kCPU) return at::kCPU;
  const std::string problem = load_gpu_part();
  const int visible =
      problem.empty() && at::detail::getCUDAHooks().hasCUDA() ? at::detail::getCUDAHooks().deviceCount() : 0;
  if (visible == 0) {
    throw UsageError("--device cuda: no CUDA device is visible on " + topology.host +
                     (problem.empty() ? "" : " (" + problem + ")") +
                     "; use --device cpu, or check the driver and CUDA_VISIBLE_DEVICES.");
  }
  try {
    return at::Device(at::kCUDA, static_cast<at::DeviceIndex>(device_of(topology, visible)));
  } catch (const CommError& error) {
    throw UsageError(std::string("--device cuda: ") + error.what());
  }
}

}  // namespace negatron

#include "launch/pretrain/training_communicator.h"

#include <ATen/detail/CUDAHooksInterface.h>

#include "comm/error.h"
#include "comm/mpi/mpi_communicator.h"
#include "comm/nccl/nccl_communicator.h"
#include "launch/exit_code.h"

namespace negatron {

at::Device compute_device(const Topology& topology, at::DeviceType kind) {
  if (kind == at::kCPU) return at::kCPU;
  const int visible = at::detail::getCUDAHooks().hasCUDA() ? at::detail::getCUDAHooks().deviceCount() : 0;
  if (visible == 0) {
    throw UsageError("--device cuda: no CUDA device is visible on " + topology.host +
                     "; use --device cpu, or check the driver and CUDA_VISIBLE_DEVICES.");
  }
  try {
    return at::Device(at::kCUDA, static_cast<at::DeviceIndex>(device_of(topology, visible)));
  } catch (const CommError& error) {
    throw UsageError(std::string("--device cuda: ") + error.what());
  }
}

TrainingCommunicator::TrainingCommunicator(const Environment& environment, at::Device device,
                                           const CommunicatorOptions& options)
    : mpi_(make_mpi_communicator(environment, options)) {
  if (device.is_cuda()) nccl_ = make_nccl_communicator(*mpi_, device.index(), options);
}

}  // namespace negatron

// Takes the place of the other sources of this folder in a build without CUDA.

#include "comm/error.h"
#include "comm/nccl/gpus_here.h"
#include "comm/nccl/nccl_communicator.h"
#include "comm/nccl/nccl_version.h"

namespace negatron {

std::unique_ptr<Communicator> make_nccl_communicator(Communicator&, int, const CommunicatorOptions&) {
  throw CommError("this build has no NCCL; configure it with -DNEGATRON_CUDA=ON, or run with --device cpu");
}

std::string cuda_and_nccl_version() {
  return {};
}

GpusHere gpus_here() {
  return {{}, "this build has no CUDA"};
}

std::string cuda_driver_version() {
  return {};
}

}  // namespace negatron

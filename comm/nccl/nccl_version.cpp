#include "comm/nccl/nccl_version.h"

#include <cuda_runtime_api.h>
#include <nccl.h>

namespace negatron {

std::string cuda_and_nccl_version() {
  // CUDA writes 13.1 as 13010, NCCL 2.27.7 as 22707.
  constexpr int kMajorOfCuda = 1000, kMinorOfCuda = 10, kMajorOfNccl = 10000, kMinorOfNccl = 100;
  int cuda = 0, nccl = 0;
  std::string text = "CUDA";
  if (cudaRuntimeGetVersion(&cuda) == cudaSuccess) {
    text += " " + std::to_string(cuda / kMajorOfCuda) + "." + std::to_string(cuda % kMajorOfCuda / kMinorOfCuda);
  }
  text += ", NCCL";
  if (ncclGetVersion(&nccl) == ncclSuccess) {
    text += " " + std::to_string(nccl / kMajorOfNccl) + "." + std::to_string(nccl % kMajorOfNccl / kMinorOfNccl) + "." +
            std::to_string(nccl % kMinorOfNccl);
  }
  return text;
}

}  // namespace negatron

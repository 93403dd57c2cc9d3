#include "launch/version.h"

#include <torch/version.h>

#include "comm/mpi/mpi_version.h"
#include "comm/nccl/nccl_version.h"
#include "runtime/snapshots/hdf5/hdf5_version.h"

// Made by the build (launch/commit.cmake).
#include "negatron_commit.h"

namespace negatron {

ProgramVersion program_version() {
  return {NEGATRON_VERSION, NEGATRON_COMMIT, TORCH_VERSION, mpi_version(), hdf5_version(), cuda_and_nccl_version()};
}

std::string version_line() {
  const ProgramVersion version = program_version();
  const std::string commit = version.commit.empty() ? "" : " (commit " + version.commit + ")";
  return "negatron " + version.program + commit + ", LibTorch " + version.libtorch + ", " + version.mpi + ", HDF5 " +
         version.hdf5 + ", " + (version.cuda.empty() ? "without CUDA" : version.cuda);
}

}  // namespace negatron

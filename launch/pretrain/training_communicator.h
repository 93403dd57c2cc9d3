#pragma once

#include <memory>

#include <ATen/ATen.h>

#include "comm/communicator.h"
#include "comm/mpi/environment.h"

namespace negatron {

/// The communicator that carries a run's tensors: MPI for host tensors, NCCL (brought up over MPI) for those on a GPU.
class TrainingCommunicator {
 public:
  /// Collective.
  TrainingCommunicator(const Environment& environment, at::Device device, const CommunicatorOptions& options);

  Communicator& get() const noexcept { return nccl_ ? *nccl_ : *mpi_; }
  /// Of the same ranks, for host tensors.
  Communicator& host() const noexcept { return *mpi_; }

 private:
  std::unique_ptr<Communicator> mpi_;
  std::unique_ptr<Communicator> nccl_;
};

}  // namespace negatron

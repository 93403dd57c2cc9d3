#pragma once

#include <memory>

#include "comm/communicator.h"
#include "comm/communicator_options.h"
#include "comm/mpi/environment.h"

namespace negatron {

/// A group of all ranks of the job over MPI. Moves host memory; device tensors are staged. Collective.
std::unique_ptr<Communicator> make_mpi_communicator(const Environment& environment, const CommunicatorOptions& options);

}  // namespace negatron

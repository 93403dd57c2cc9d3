#pragma once

#include "comm/communicator.h"
#include "comm/mpi/environment.h"

namespace negatron::testing {

/// For tests under mpirun (negatron_add_rank_test). The job's environment, made by main before the first test.
const Environment& environment();

/// A group of all ranks over MPI, in checked mode, made by main before the first test.
Communicator& world();

/// Collective. True on every rank when `ok` is true on every rank. What decides between two collectives whether to go
/// on: ASSERT_* there would leave the other ranks waiting.
bool on_all_ranks(Communicator& communicator, bool ok);

}  // namespace negatron::testing

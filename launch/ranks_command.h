#pragma once

#include <functional>

#include "comm/mpi/environment.h"

namespace negatron {

/// Starts MPI, runs a command of all ranks and ends the job: in order where every rank knows why, at once where only
/// this one does. What the command throws becomes a sentence and an exit code. Collective in effect.
int run_ranks_command(int argc, char** argv, const std::function<int(Environment&)>& command);

}  // namespace negatron

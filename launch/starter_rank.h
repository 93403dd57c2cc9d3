#pragma once

namespace negatron {

/// This process among those that were started with it.
struct StarterRank {
  int rank = 0;
  int count = 1;
};

/// Whether this process was started by mpirun or srun itself, as their own copy of the program, and not by something
/// that they started, such as a script or a Python program that is a rank, whose variables it inherits. By the name of
/// its parent; true where that cannot be read. Local.
bool is_started_by_launcher();

/// By what mpirun and srun tell each process: known before MPI has started, and without it. A process that was started
/// alone is rank 0 of 1. Local.
StarterRank starter_rank();

}  // namespace negatron

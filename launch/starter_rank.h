#pragma once

namespace negatron {

/// This process among those that were started with it.
struct StarterRank {
  int rank = 0;
  int count = 1;
};

/// By what mpirun and srun tell each process: known before MPI has started, and without it. A process that was started
/// alone is rank 0 of 1. Local.
StarterRank starter_rank();

}  // namespace negatron

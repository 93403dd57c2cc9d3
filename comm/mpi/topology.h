#pragma once

#include <string>

#include "comm/mpi/environment.h"

namespace negatron {

/// Where this process stands in the job.
struct Topology {
  int rank = 0;
  int size = 1;
  /// Among the ranks that share this host's memory (MPI_Comm_split_type; launchers' variables are wrong under some).
  int local_rank = 0;
  int local_size = 1;
  std::string host;
};

/// Collective.
Topology discover_topology(const Environment& environment);

/// This rank's CUDA device: local rank modulo visible devices. Refuses (`CommError`, before NCCL is touched) a host
/// without devices and more ranks than visible devices. Where each rank sees one device only, this cannot tell whether
/// they are different ones: make_nccl_communicator compares their identities. Local.
int device_of(const Topology& topology, int visible_devices);

}  // namespace negatron

#include "comm/mpi/topology.h"

#include <mpi.h>

#include "comm/error.h"
#include "comm/mpi/connection_limit.h"
#include "comm/mpi/mpi_check.h"

namespace negatron {

Topology discover_topology(const Environment& environment) {
  Topology topology;
  topology.rank = environment.rank();
  topology.size = environment.size();

  // With the rank as key, local ranks are in the order of ranks, and neighbours in the job get neighbouring devices.
  MPI_Comm host = MPI_COMM_NULL;
  const ConnectionLimit limit(environment.start_limit(), "MPI_Comm_split_type");
  mpi_check(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, topology.rank, MPI_INFO_NULL, &host),
            "MPI_Comm_split_type");
  mpi_check(MPI_Comm_rank(host, &topology.local_rank), "MPI_Comm_rank");
  mpi_check(MPI_Comm_size(host, &topology.local_size), "MPI_Comm_size");
  mpi_check(MPI_Comm_free(&host), "MPI_Comm_free");

  char name[MPI_MAX_PROCESSOR_NAME];
  int length = 0;
  mpi_check(MPI_Get_processor_name(name, &length), "MPI_Get_processor_name");
  topology.host.assign(name, static_cast<std::size_t>(length));
  return topology;
}

int device_of(const Topology& topology, int visible_devices) {
  const std::string where = "rank " + std::to_string(topology.rank) + " on " + topology.host;
  if (visible_devices < 1) {
    throw CommError(where + " sees no CUDA device; run with --device cpu, or on a host with GPUs");
  }
  // One visible device each is what launchers with GPU binding give: then local ranks share the number 0 but no device.
  if (visible_devices > 1 && topology.local_size > visible_devices) {
    throw CommError(where + " would share a GPU: " + std::to_string(topology.local_size) + " ranks for " +
                    std::to_string(visible_devices) + " visible devices; start at most " +
                    std::to_string(visible_devices) + " ranks on this host");
  }
  return topology.local_rank % visible_devices;
}

}  // namespace negatron

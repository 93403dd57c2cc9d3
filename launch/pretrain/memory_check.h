#pragma once

#include <string>
#include <vector>

#include "comm/communicator.h"
#include "launch/host_memory.h"
#include "runtime/encoders/compute_place.h"
#include "runtime/run/run_memory.h"

namespace negatron {

/// Refuses a run whose ranks on some host are known to take more than the host, or the container or job on it, has: the
/// kernel would end it in the midst of its first steps. `hosts` are the names of all ranks' hosts, `here` what this
/// rank's has. What lies on a GPU does not count. Collective. Throws UsageError on every rank, with the need, the limit
/// and the flags that lower it.
void require_host_memory(Communicator& comm, const std::vector<std::string>& hosts, const RunMemory& need,
                         const ComputePlace& place, const HostMemory& here);

}  // namespace negatron

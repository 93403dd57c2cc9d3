#pragma once

#include <functional>
#include <string>

#include "comm/communicator.h"

namespace negatron {

/// How many compute threads this rank may use without taking time from another rank of its host or from other jobs.
struct ThreadBudget {
  /// At least 1.
  int threads = 1;
  /// Empty, or that the launcher bound the ranks to fewer cores than the host has for them, and how to have more.
  std::string remark;
};

/// The least of: the cores that this rank is bound to, divided by the ranks of the host that are bound to the same
/// ones; its share of the quota of its control group (cgroup_cores.h); and what Slurm gave each task. Collective.
ThreadBudget thread_budget(Communicator& comm);

/// What Slurm gave each of `ranks` tasks of this host: SLURM_CPUS_PER_TASK, or else an equal part of
/// SLURM_CPUS_ON_NODE. 0 where this process is not in a job of Slurm. `variable` looks an environment variable up, and
/// returns null where it is not set. Local.
int slurm_cores(const std::function<const char*(const char*)>& variable, int ranks);

}  // namespace negatron

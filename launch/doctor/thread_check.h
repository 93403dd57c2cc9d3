#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "comm/communicator.h"
#include "launch/doctor/finding.h"

namespace negatron {

/// The cores that a rank may compute on.
struct ThreadFacts {
  /// That a run would take (launch/cores/thread_budget.h), and what that said about mpirun's binding.
  int threads = 1;
  std::string remark;
  /// That this rank is bound to, and that the host has.
  int bound_cores = 1;
  int host_cores = 1;
  /// Cores' worth of time that the control group gives; 0 for no limit.
  double quota = 0.0;
  /// What Slurm gave this task; 0 outside of a job.
  int slurm_cores = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ThreadFacts, threads, remark, bound_cores, host_cores, quota, slurm_cores)

/// `on_host`: ranks of this host. Collective.
ThreadFacts thread_facts(Communicator& comm, int on_host);

/// Whether ranks are bound to fewer cores than their host has for them, or share cores. Both of all ranks, [P]. Local.
Findings check_threads(const std::vector<ThreadFacts>& ranks, const std::vector<std::string>& hosts);

}  // namespace negatron

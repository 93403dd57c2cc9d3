#include "launch/cores/thread_budget.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "launch/cores/cgroup_cores.h"
#include "runtime/snapshots/files/process_identity.h"

namespace negatron {
namespace {

constexpr std::size_t kNameBytes = 256;
constexpr std::int64_t kMaskBytes = sizeof(cpu_set_t);

/// Whose cores these are: hosts may share a name, and containers of one machine have names of their own, but it runs
/// one kernel.
std::string machine_name() {
  const ProcessIdentity process = this_process();
  return process.boot.empty() ? process.host : process.boot;
}

/// A row of bytes, [1, kNameBytes + room], padded with zeros: the machine's name, then what it is about.
at::Tensor row_of(const void* bytes, std::size_t size, std::size_t room) {
  at::Tensor row = at::zeros({1, static_cast<std::int64_t>(kNameBytes + room)}, at::kByte);
  auto* begin = static_cast<char*>(row.data_ptr());
  const std::string machine = machine_name();
  std::memcpy(begin, machine.data(), std::min(machine.size(), kNameBytes));
  std::memcpy(begin + kNameBytes, bytes, std::min(size, room));
  return row;
}

/// How many ranks have this row. Collective: the rows of all ranks have one size.
int sharing(Communicator& comm, const at::Tensor& row) {
  return static_cast<int>(comm.all_gather(row).eq(row).all(1).sum().item<std::int64_t>());
}

int environment_number(const std::function<const char*(const char*)>& variable, const char* name) {
  const char* text = variable(name);
  return text == nullptr ? 0 : std::atoi(text);
}

const char* environment_variable(const char* name) {
  return std::getenv(name);
}

}  // namespace

int slurm_cores(const std::function<const char*(const char*)>& variable, int ranks) {
  if (variable("SLURM_JOB_ID") == nullptr) return 0;
  const int per_task = environment_number(variable, "SLURM_CPUS_PER_TASK");
  if (per_task > 0) return per_task;
  const int on_node = environment_number(variable, "SLURM_CPUS_ON_NODE");
  return on_node > 0 ? std::max(1, on_node / ranks) : 0;
}

// Only equal rows count as sharing: the same machine and exactly the same cores, or the same control group. Example: 4
// ranks on a host of 16 cores. If mpirun binds none of them, the masks are equal and each may use 16 / 4 = 4 threads;
// if it binds each to 2 cores of its own, the masks differ and each may use 2 / 1. In a container with a quota of 6
// cores' worth of time, whose group all four share, it is 6 / 4 = 1 in the first case and 1 in the second.
ThreadBudget thread_budget(Communicator& comm) {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  sched_getaffinity(0, sizeof mask, &mask);
  const int bound = CPU_COUNT(&mask);
  const auto quota = cgroup_cores();
  const std::string group = quota ? quota->group : std::string();

  const int on_host = sharing(comm, row_of("", 0, 0));
  const int on_mask = sharing(comm, row_of(&mask, sizeof mask, kMaskBytes));
  const int in_group = sharing(comm, row_of(group.data(), group.size(), kNameBytes));

  ThreadBudget budget;
  budget.threads = bound / on_mask;
  if (quota) budget.threads = std::min(budget.threads, static_cast<int>(std::floor(quota->cores / in_group)));
  const int from_slurm = slurm_cores(environment_variable, on_host);
  if (from_slurm > 0) budget.threads = std::min(budget.threads, from_slurm);
  budget.threads = std::max(1, budget.threads);

  // Of the machine, not of the mask.
  const auto cores = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  const bool bound_by_mpirun = std::getenv("OMPI_COMM_WORLD_SIZE") != nullptr && from_slurm == 0;
  if (bound_by_mpirun && !quota && 2 * bound * on_host / on_mask <= cores) {
    budget.remark = "mpirun bound each rank to " + std::to_string(bound) + (bound == 1 ? " core" : " cores") +
                    ", and this host has " + std::to_string(cores) + " for " + std::to_string(on_host) +
                    (on_host == 1 ? " rank" : " ranks") +
                    "; mpirun --bind-to none, or launch/ranks, gives each its part.";
  }
  return budget;
}

}  // namespace negatron

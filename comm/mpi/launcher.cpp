#include "comm/mpi/launcher.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string_view>

namespace negatron {
namespace {

/// Open MPI and PRRTE, MPICH and its relatives.
constexpr std::string_view kMpirun[] = {"mpirun",  "mpiexec", "orterun",         "orted",
                                        "prterun", "prted",   "hydra_pmi_proxy", "mpiexec.hydra"};
constexpr std::string_view kSlurm[] = {"srun", "slurmstepd"};

bool holds(const auto& names, const std::string& name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

}  // namespace

std::string process_name(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/comm");
  std::string name;
  std::getline(file, name);
  return name;
}

bool is_started_by_launcher() {
  const std::string name = process_name(::getppid());
  return name.empty() || holds(kMpirun, name) || holds(kSlurm, name);
}

bool is_mpirun(pid_t pid) {
  return holds(kMpirun, process_name(pid));
}

}  // namespace negatron

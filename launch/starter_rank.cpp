#include "launch/starter_rank.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace negatron {
namespace {

/// What starters of several processes tell each of them: how many there are, and which it is.
struct RankVariables {
  const char* count;
  const char* rank;
};

constexpr RankVariables kStarters[] = {{"OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"},
                                       {"PMI_SIZE", "PMI_RANK"},
                                       {"SLURM_STEP_NUM_TASKS", "SLURM_PROCID"}};

}  // namespace

bool is_started_by_launcher() {
  // Open MPI and PRRTE, MPICH and its relatives, Slurm; the kernel keeps 15 letters.
  constexpr std::string_view kLaunchers[] = {"mpirun", "mpiexec",         "orterun", "orted",      "prterun",
                                             "prted",  "hydra_pmi_proxy", "srun",    "slurmstepd", "mpiexec.hydra"};
  std::ifstream file("/proc/" + std::to_string(getppid()) + "/comm");
  std::string name;
  if (!std::getline(file, name)) return true;
  return std::any_of(std::begin(kLaunchers), std::end(kLaunchers),
                     [&](std::string_view launcher) { return name == launcher; });
}

StarterRank starter_rank() {
  for (const RankVariables& starter : kStarters) {
    const char* count = std::getenv(starter.count);
    if (count == nullptr || std::atoi(count) <= 1) continue;
    const char* rank = std::getenv(starter.rank);
    return {rank == nullptr ? 0 : std::atoi(rank), std::atoi(count)};
  }
  return {};
}

}  // namespace negatron

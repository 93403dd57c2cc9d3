#include "launch/starter_rank.h"

#include <cstdlib>

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

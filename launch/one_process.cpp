#include "launch/one_process.h"

#include <c10/util/Exception.h>

#include <cstdlib>
#include <ostream>
#include <stdexcept>

#include "launch/exit_code.h"

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

const RankVariables* started_with_others() {
  for (const RankVariables& starter : kStarters) {
    const char* count = std::getenv(starter.count);
    if (count != nullptr && std::atoi(count) > 1) return &starter;
  }
  return nullptr;
}

int refused_with(std::ostream& problems, const std::string& message, ExitCode code) {
  problems << "negatron: " << message << "\n";
  return code;
}

}  // namespace

int run_one_process(const std::string& command, std::ostream& problems, const std::function<int()>& run) {
  if (const RankVariables* starter = started_with_others()) {
    const char* rank = std::getenv(starter->rank);
    if (rank != nullptr && std::atoi(rank) != 0) return kExitUsage;
    return refused_with(problems, command + " is one process: start it without mpirun or srun, or with -n 1.",
                        kExitUsage);
  }
  try {
    return run();
  } catch (const Refusal& error) {
    return refused_with(problems, error.what(), kExitUsage);
  } catch (const std::invalid_argument& error) {
    return refused_with(problems, error.what(), kExitUsage);
  } catch (const c10::Error& error) {
    return refused_with(problems, error.what_without_backtrace(), kExitFailure);
  } catch (const std::exception& error) {
    return refused_with(problems, error.what(), kExitFailure);
  }
}

}  // namespace negatron

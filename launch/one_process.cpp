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

int failed(std::ostream& problems, const std::string& message) {
  problems << "negatron: " << message << "\n";
  return kExitFailure;
}

}  // namespace

int refuse(std::ostream& problems, const std::string& message) {
  problems << "negatron: " << message << "\n";
  return kExitUsage;
}

int run_one_process(const std::string& name, std::ostream& problems, const std::function<int()>& act) {
  if (const RankVariables* starter = started_with_others()) {
    const char* rank = std::getenv(starter->rank);
    if (rank != nullptr && std::atoi(rank) != 0) return kExitUsage;
    return refuse(problems, "negatron " + name + " is one process: start it without mpirun or srun, or with -n 1.");
  }
  try {
    return act();
  } catch (const UsageError& error) {
    return refuse(problems, error.what());
  } catch (const std::invalid_argument& error) {
    return refuse(problems, error.what());
  } catch (const c10::Error& error) {
    return failed(problems, error.what_without_backtrace());
  } catch (const std::exception& error) {
    return failed(problems, error.what());
  }
}

}  // namespace negatron

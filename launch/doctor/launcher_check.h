#pragma once

#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "launch/doctor/finding.h"

namespace negatron {

/// Looks an environment variable up; null where it is not set.
using Variables = std::function<const char*(const char*)>;
/// Of this process.
Variables environment_variables();

/// Who started this process, by what it was told.
struct LauncherFacts {
  /// "mpirun", "srun", or "no launcher".
  std::string launcher;
  /// "PMIx", "PMI", or "no PMI": how ranks find each other.
  std::string pmi;
  /// Processes that were started together, as the launcher counts.
  int started = 1;
  /// Tasks of Slurm's job; 0 outside of one.
  int allocated = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(LauncherFacts, launcher, pmi, started, allocated)

/// Before MPI starts, which sets variables of its own. Local.
LauncherFacts launcher_facts(const Variables& variable);

/// Before MPI starts: a warning where it may end the process at once, else nothing. Local.
Findings check_pmi(const LauncherFacts& facts);

/// Whether MPI knows as many ranks as were started, and the ranks by host. Both of all ranks, [P]. Local.
Findings check_launcher(const std::vector<LauncherFacts>& ranks, const std::vector<std::string>& hosts);

}  // namespace negatron

#include "launch/doctor/launcher_check.h"

#include <algorithm>
#include <cstdlib>

#include "comm/roll_call/rank_ranges.h"
#include "launch/doctor/rank_groups.h"

namespace negatron {
namespace {

int count_of(const Variables& variable, const char* name) {
  const char* text = variable(name);
  return text == nullptr ? 0 : std::atoi(text);
}

std::string launcher_of(const Variables& variable) {
  // mpirun in a job of Slurm leaves Slurm's variables as they are, so it is asked for first.
  if (variable("OMPI_COMM_WORLD_SIZE") != nullptr) return "mpirun";
  if (variable("SLURM_STEP_ID") != nullptr && variable("SLURM_PROCID") != nullptr) return "srun";
  if (variable("PMI_SIZE") != nullptr) return "mpirun";
  return "no launcher";
}

int started_by(const Variables& variable, const std::string& launcher) {
  if (launcher == "srun") return std::max(1, count_of(variable, "SLURM_STEP_NUM_TASKS"));
  return std::max({1, count_of(variable, "OMPI_COMM_WORLD_SIZE"), count_of(variable, "PMI_SIZE")});
}

RankVerdict judge_launcher(const LauncherFacts& facts, std::size_t ranks) {
  RankVerdict verdict{facts.launcher + " with " + facts.pmi + ", " + std::to_string(ranks) +
                      (ranks == 1 ? " rank" : " ranks")};
  const auto started = static_cast<std::size_t>(facts.started);
  if (started != ranks) {
    verdict.found += ", but " + std::to_string(started) + " were started";
    verdict.advice = "start with the mpirun of the MPI that this program was built on, or with srun --mpi=pmix";
    verdict.severity = Severity::kBroken;
  } else if (ranks == 1 && facts.allocated > 1) {
    verdict.found += ", in a job of Slurm with " + std::to_string(facts.allocated) + " tasks";
    verdict.advice = "srun --mpi=pmix, or mpirun, starts all of them";
    verdict.severity = Severity::kWarning;
  }
  return verdict;
}

}  // namespace

Variables environment_variables() {
  return [](const char* name) { return static_cast<const char*>(std::getenv(name)); };
}

LauncherFacts launcher_facts(const Variables& variable) {
  LauncherFacts facts;
  facts.launcher = launcher_of(variable);
  facts.started = started_by(variable, facts.launcher);
  const bool has_pmi = variable("PMI_RANK") != nullptr;
  facts.pmi = variable("PMIX_RANK") != nullptr ? "PMIx" : has_pmi ? "PMI" : "no PMI";
  if (variable("SLURM_JOB_ID") != nullptr) facts.allocated = count_of(variable, "SLURM_NTASKS");
  return facts;
}

Findings check_pmi(const LauncherFacts& facts) {
  if (facts.launcher != "srun" || facts.pmi != "PMI") return {};
  return {{"PMI", "srun gave the older one, by which Open MPI finds nobody unless it was built for it", "PMIx",
           "srun --mpi=pmix, where the start of MPI now fails", Severity::kWarning}};
}

Findings check_launcher(const std::vector<LauncherFacts>& ranks, const std::vector<std::string>& hosts) {
  std::vector<RankVerdict> verdicts;
  for (const LauncherFacts& facts : ranks) verdicts.push_back(judge_launcher(facts, ranks.size()));
  Findings findings = findings_of_ranks("launcher", "mpirun, launch/ranks or srun --mpi=pmix", verdicts, hosts);
  findings.push_back({"hosts", ranks_by_host(hosts), "the ranks of each host that you meant"});
  return findings;
}

}  // namespace negatron

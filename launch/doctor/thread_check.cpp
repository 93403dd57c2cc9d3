#include "launch/doctor/thread_check.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "launch/cores/cgroup_cores.h"
#include "launch/cores/thread_budget.h"
#include "launch/doctor/launcher_check.h"
#include "launch/doctor/rank_groups.h"

namespace negatron {
namespace {

std::string cores_text(int count) {
  return std::to_string(count) + (count == 1 ? " core" : " cores");
}

/// What this rank could have: what Slurm gave it, or an equal part of its host.
int fair_share(const ThreadFacts& facts, int on_host) {
  if (facts.slurm_cores > 0) return facts.slurm_cores;
  const double cores = facts.quota > 0.0 ? std::min<double>(facts.quota, facts.host_cores) : facts.host_cores;
  return std::max(1, static_cast<int>(cores) / on_host);
}

RankVerdict judge_threads(const ThreadFacts& facts, int on_host) {
  RankVerdict verdict{std::to_string(facts.threads) + (facts.threads == 1 ? " thread" : " threads") + ", bound to " +
                      cores_text(facts.bound_cores) + " of " + std::to_string(facts.host_cores)};
  if (facts.quota > 0.0) {
    verdict.found += " with time of " + std::to_string(static_cast<int>(facts.quota)) + " by its control group";
  }
  if (on_host > facts.host_cores) {
    verdict.found += " for " + std::to_string(on_host) + " ranks";
    verdict.advice = "start at most one rank for each core of a host";
  } else if (!facts.remark.empty()) {
    verdict.advice = facts.remark;
  } else if (2 * facts.threads <= fair_share(facts, on_host)) {
    verdict.advice = "something (taskset, a cpuset, a launcher) binds the rank to so few cores: start it without";
  } else {
    return verdict;
  }
  verdict.severity = Severity::kWarning;
  return verdict;
}

}  // namespace

ThreadFacts thread_facts(Communicator& comm, int on_host) {
  const ThreadBudget budget = thread_budget(comm);
  cpu_set_t mask;
  CPU_ZERO(&mask);
  sched_getaffinity(0, sizeof mask, &mask);
  const auto quota = cgroup_cores();
  return {budget.threads,
          budget.remark,
          CPU_COUNT(&mask),
          static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)),
          quota ? quota->cores : 0.0,
          slurm_cores(environment_variables(), on_host)};
}

Findings check_threads(const std::vector<ThreadFacts>& ranks, const std::vector<std::string>& hosts) {
  const std::vector<int> on_host = ranks_on_hosts(hosts);
  std::vector<RankVerdict> verdicts;
  for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
    verdicts.push_back(judge_threads(ranks[rank], on_host[rank]));
  }
  return findings_of_ranks("threads", "an equal part of the host's cores, or what Slurm gave the task", verdicts,
                           hosts);
}

}  // namespace negatron

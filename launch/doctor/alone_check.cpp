#include "launch/doctor/alone_check.h"

#include <string>
#include <vector>

#include "launch/doctor/network_check.h"
#include "launch/doctor/resource_check.h"
#include "launch/doctor/version_check.h"
#include "runtime/snapshots/files/process_identity.h"

namespace negatron {

Findings check_alone(const LauncherFacts& launcher, const HostNetworks& networks) {
  const std::vector<std::string> host = {this_process().host};
  Findings findings = {
      {"launcher", launcher.launcher + " with " + launcher.pmi + ", " + std::to_string(launcher.started) + " started",
       "mpirun, launch/ranks or srun --mpi=pmix"},
      {"hosts", "this one, " + host.front() + "; the others are not known", "the ranks of each host that you meant"}};
  const auto add = [&](const Findings& more) { findings.insert(findings.end(), more.begin(), more.end()); };
  add(check_versions({versions_here()}, host));
  Findings interfaces = check_networks({networks}, host);
  interfaces.front().expected = "one that leads to the other hosts, and no address that several of them have";
  add(interfaces);
  add(check_resources({resource_facts()}, host));
  return findings;
}

}  // namespace negatron

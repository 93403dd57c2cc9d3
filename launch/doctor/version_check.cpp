#include "launch/doctor/version_check.h"

#include <set>
#include <string_view>

#include "comm/nccl/gpus_here.h"
#include "launch/build_identity.h"
#include "launch/doctor/rank_groups.h"
#include "launch/version.h"

namespace negatron {
namespace {

constexpr const char* kExpectedVersions = "the same on every rank";
/// The one of which a run does not ask.
constexpr const char* kDriver = "CUDA driver";

/// Without the line of versions, which stand apart: "9b178f3f, libtorch_cpu of 451209129 bytes".
std::string build_alone() {
  constexpr std::string_view kTitle = "build id ";
  std::string text = build_identity();
  text.erase(0, text.find('\n') + 1);
  if (text.starts_with(kTitle)) text.erase(0, kTitle.size());
  while (!text.empty() && text.back() == '\n') text.pop_back();
  const std::size_t line = text.find('\n');
  return line == std::string::npos ? text : text.replace(line, 1, ", ");
}

}  // namespace

Versions versions_here() {
  const ProgramVersion version = program_version();
  Versions versions = {{"negatron", version.program + (version.commit.empty() ? "" : ", commit " + version.commit)},
                       {"build", build_alone()},
                       {"LibTorch", version.libtorch},
                       {"MPI", version.mpi},
                       {"HDF5", version.hdf5},
                       {"GPU libraries", version.cuda.empty() ? "none" : version.cuda}};
  const std::string driver = cuda_driver_version();
  versions[kDriver] = driver.empty() ? "none" : driver;
  return versions;
}

Findings check_versions(const std::vector<Versions>& ranks, const std::vector<std::string>& hosts) {
  std::set<std::string> names;
  for (const Versions& versions : ranks) {
    for (const auto& [name, version] : versions) names.insert(name);
  }
  Findings findings;
  std::string alike;
  for (const std::string& name : names) {
    std::vector<std::string> texts;
    for (const Versions& versions : ranks) {
      const auto known = versions.find(name);
      texts.push_back(known == versions.end() ? "unknown" : known->second);
    }
    if (rank_groups(texts).size() == 1) {
      alike += (alike.empty() ? "" : "; ") + name + " " + texts.front();
    } else {
      const bool is_driver = name == kDriver;
      findings.push_back({"version of " + name, said_by_ranks(texts, hosts), kExpectedVersions,
                          is_driver ? "install the same on every host"
                                    : "install the same on every host; a run refuses builds that differ",
                          is_driver ? Severity::kWarning : Severity::kBroken});
    }
  }
  if (!alike.empty()) findings.insert(findings.begin(), Finding{"versions", alike, kExpectedVersions});
  return findings;
}

}  // namespace negatron

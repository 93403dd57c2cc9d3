#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace negatron {

/// Where the processes of one control group get their time from.
struct CgroupCores {
  /// Of the group that sets the limit: equal for the processes that share it.
  std::string group;
  /// Cores' worth of time a second; a part of one, too.
  double cores = 0.0;
};

/// The tightest quota of CPU time over this process's control group and those above it, which containers and Slurm set
/// and no mask of cores shows; nothing where there is none. Reads version 2 (cpu.max) and version 1 (cpu.cfs_quota_us).
/// `process`: a /proc/PID folder, `mount`: where control groups are mounted; others in tests. Local.
std::optional<CgroupCores> cgroup_cores(const std::filesystem::path& process = "/proc/self",
                                        const std::filesystem::path& mount = "/sys/fs/cgroup");

}  // namespace negatron

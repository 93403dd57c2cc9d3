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

/// The tightest quota of CPU time over this process's control groups and those above them (cgroup_folders.h), which
/// containers and Slurm set and no mask of cores shows; nothing where there is none. `root` is where /proc and /sys
/// lie. Local.
std::optional<CgroupCores> cgroup_cores(const std::filesystem::path& root = "/");

}  // namespace negatron

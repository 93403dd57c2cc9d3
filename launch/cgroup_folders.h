#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace negatron {

/// A folder that may hold limits of a control group that this process is in.
struct CgroupFolder {
  std::filesystem::path path;
  /// Else of version 1: the files have other names.
  bool is_version_2 = false;
};

/// Of the groups of this process in which `controller` ("memory", "cpu") can be limited, of version 1 and 2, and of all
/// groups above them up to the root, for a limit holds for those below. A group's path is that of the host, and a
/// container may see only its own groups under the mount: some of these folders are not there. `root` is where /proc
/// and /sys lie. Local.
std::vector<CgroupFolder> cgroup_folders(const std::string& controller, const std::filesystem::path& root = "/");

}  // namespace negatron

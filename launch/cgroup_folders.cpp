#include "launch/cgroup_folders.h"

#include <fstream>

namespace negatron {
namespace {

namespace fs = std::filesystem;

/// The group's folder in one hierarchy, and those above it.
void add_upwards(const fs::path& hierarchy, const fs::path& group, bool is_version_2,
                 std::vector<CgroupFolder>& folders) {
  for (fs::path path = group;; path = path.parent_path()) {
    folders.push_back({hierarchy / path, is_version_2});
    if (path.empty()) return;
  }
}

}  // namespace

// Lines of /proc/self/cgroup: "0::/user.slice" is of version 2, "1:cpu,cpuacct:/slurm/job_7" of version 1.
std::vector<CgroupFolder> cgroup_folders(const std::string& controller, const fs::path& root) {
  const fs::path mount = root / "sys/fs/cgroup";
  std::vector<CgroupFolder> folders;
  std::ifstream lines(root / "proc/self/cgroup");
  for (std::string line; std::getline(lines, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const fs::path group = fs::path(line.substr(second + 1)).relative_path();
    if (controllers.empty()) {
      add_upwards(mount, group, true, folders);
      // Where both versions are in use.
      add_upwards(mount / "unified", group, true, folders);
    } else if (("," + controllers + ",").find("," + controller + ",") != std::string::npos) {
      // The folder has the name of the whole list; often a link has that of each.
      add_upwards(fs::exists(mount / controllers) ? mount / controllers : mount / controller, group, false, folders);
    }
  }
  return folders;
}

}  // namespace negatron

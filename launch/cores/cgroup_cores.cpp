#include "launch/cores/cgroup_cores.h"

#include <fstream>
#include <sstream>
#include <vector>

namespace negatron {
namespace {

namespace fs = std::filesystem;

/// Nothing for "max", for -1 and for what cannot be read.
std::optional<double> positive_number(const std::string& text) {
  std::istringstream stream(text);
  double value = 0.0;
  return stream >> value && value > 0.0 ? std::optional(value) : std::nullopt;
}

std::string first_line(const fs::path& file) {
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  return line;
}

/// "150000 100000": time in each period, both in microseconds.
std::optional<double> version_2_cores(const fs::path& group) {
  std::istringstream words(first_line(group / "cpu.max"));
  std::string quota;
  std::string period;
  words >> quota >> period;
  const auto time = positive_number(quota);
  const auto each = positive_number(period);
  return time && each ? std::optional(*time / *each) : std::nullopt;
}

std::optional<double> version_1_cores(const fs::path& group) {
  const auto time = positive_number(first_line(group / "cpu.cfs_quota_us"));
  const auto each = positive_number(first_line(group / "cpu.cfs_period_us"));
  return time && each ? std::optional(*time / *each) : std::nullopt;
}

bool holds_cpu(const std::string& controllers) {
  std::istringstream list(controllers);
  for (std::string name; std::getline(list, name, ',');) {
    if (name == "cpu") return true;
  }
  return false;
}

/// A group and the hierarchy that it stands in.
struct Membership {
  fs::path hierarchy;
  fs::path group;
  bool is_version_2 = false;
};

/// Lines of /proc/PID/cgroup: "0::/user.slice" is of version 2, "1:cpu,cpuacct:/slurm/job_7" of version 1.
std::vector<Membership> memberships(const fs::path& process, const fs::path& mount) {
  std::vector<Membership> found;
  std::ifstream lines(process / "cgroup");
  for (std::string line; std::getline(lines, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first == std::string::npos ? first : first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const fs::path group = fs::path(line.substr(second + 1)).relative_path();
    if (controllers.empty()) found.push_back({mount, group, true});
    // The folder has the name of the whole list, or a link has that of each.
    if (holds_cpu(controllers))
      found.push_back({fs::exists(mount / controllers) ? mount / controllers : mount / "cpu", group});
  }
  return found;
}

}  // namespace

std::optional<CgroupCores> cgroup_cores(const fs::path& process, const fs::path& mount) {
  std::optional<CgroupCores> tightest;
  for (const Membership& membership : memberships(process, mount)) {
    // In a container the path may be that of the host, of which nothing is mounted here but its end, the root.
    fs::path group = membership.group;
    while (true) {
      const fs::path folder = membership.hierarchy / group;
      const auto cores = membership.is_version_2 ? version_2_cores(folder) : version_1_cores(folder);
      if (cores && (!tightest || *cores < tightest->cores)) tightest = CgroupCores{folder.string(), *cores};
      if (group.empty()) break;
      group = group.parent_path();
    }
  }
  return tightest;
}

}  // namespace negatron

#include "launch/cores/cgroup_cores.h"

#include <fstream>
#include <sstream>

#include "launch/cgroup_folders.h"

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

}  // namespace

std::optional<CgroupCores> cgroup_cores(const fs::path& root) {
  std::optional<CgroupCores> tightest;
  for (const CgroupFolder& folder : cgroup_folders("cpu", root)) {
    const auto cores = folder.is_version_2 ? version_2_cores(folder.path) : version_1_cores(folder.path);
    if (cores && (!tightest || *cores < tightest->cores)) tightest = CgroupCores{folder.path.string(), *cores};
  }
  return tightest;
}

}  // namespace negatron

#include "launch/host_memory.h"

#include <charconv>
#include <fstream>
#include <limits>
#include <string_view>
#include <vector>

namespace negatron {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kKibibyte = 1024;

/// The whole number that a text begins with, behind blanks; nothing, as of "max", is no limit.
std::int64_t number_at(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data() + begin, text.data() + text.size(), value);
  return error == std::errc() ? value : std::numeric_limits<std::int64_t>::max();
}

std::vector<std::string> lines_of(const fs::path& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

std::int64_t physical_memory(const fs::path& root) {
  constexpr std::string_view kTotal = "MemTotal:";
  for (const std::string& line : lines_of(root / "proc/meminfo")) {
    if (!line.starts_with(kTotal)) continue;
    const std::int64_t kibibytes = number_at(std::string_view(line).substr(kTotal.size()));
    if (kibibytes <= std::numeric_limits<std::int64_t>::max() / kKibibyte) return kibibytes * kKibibyte;
  }
  return std::numeric_limits<std::int64_t>::max();
}

/// The least that `file` says in the folder of a group and in those above it. A group's path is that of the host, and a
/// container may see only its own groups under the mount: folders that are not there say nothing.
std::int64_t least_limit(const fs::path& mount, const std::string& group, const char* file) {
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  for (fs::path path = fs::path(group).relative_path();; path = path.parent_path()) {
    const std::vector<std::string> lines = lines_of(mount / path / file);
    if (!lines.empty()) least = std::min(least, number_at(lines.front()));
    if (path.empty()) return least;
  }
}

/// Of a line "4:memory:/user.slice/job_7", or "0::/user.slice" of version 2.
std::int64_t limit_of_group(const fs::path& root, const std::string& line) {
  const fs::path mount = root / "sys/fs/cgroup";
  const std::size_t first = line.find(':');
  const std::size_t second = line.find(':', first + 1);
  if (first == std::string::npos || second == std::string::npos) return std::numeric_limits<std::int64_t>::max();
  const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
  const std::string group = line.substr(second + 1);
  if (controllers == ",,") {
    return std::min(least_limit(mount, group, "memory.max"), least_limit(mount / "unified", group, "memory.max"));
  }
  if (controllers.find(",memory,") == std::string::npos) return std::numeric_limits<std::int64_t>::max();
  return least_limit(mount / "memory", group, "memory.limit_in_bytes");
}

}  // namespace

HostMemory host_memory(const fs::path& root) {
  HostMemory memory{physical_memory(root), "the memory of the host"};
  for (const std::string& line : lines_of(root / "proc/self/cgroup")) {
    const std::int64_t limit = limit_of_group(root, line);
    if (limit < memory.bytes) memory = {limit, "the limit of its cgroup"};
  }
  return memory;
}

}  // namespace negatron

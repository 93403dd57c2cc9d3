#include "launch/host_memory.h"

#include <charconv>
#include <fstream>
#include <limits>
#include <string_view>
#include <vector>

#include "launch/cgroup_folders.h"

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

}  // namespace

HostMemory host_memory(const fs::path& root) {
  HostMemory memory{physical_memory(root), "the memory of the host"};
  for (const CgroupFolder& folder : cgroup_folders("memory", root)) {
    const char* file = folder.is_version_2 ? "memory.max" : "memory.limit_in_bytes";
    const std::vector<std::string> lines = lines_of(folder.path / file);
    if (lines.empty()) continue;
    const std::int64_t limit = number_at(lines.front());
    if (limit < memory.bytes) memory = {limit, "the limit of its cgroup"};
  }
  return memory;
}

}  // namespace negatron

#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace negatron {

/// What all processes of this host, or of this container or job on it, may take together.
struct HostMemory {
  std::int64_t bytes = 0;
  /// What says so: "the memory of the host", "the limit of its cgroup".
  std::string source;
};

/// The smallest of the host's memory and the limits of the control groups that this process is in, of version 1 and 2,
/// up to their roots. What cannot be read is no limit. `root` is where /proc and /sys lie. Local.
HostMemory host_memory(const std::filesystem::path& root = "/");

}  // namespace negatron

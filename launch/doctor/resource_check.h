#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "launch/doctor/finding.h"

namespace negatron {

/// What this process may take of its host. Bytes; kUnlimited where there is no limit.
struct ResourceFacts {
  static constexpr std::int64_t kUnlimited = -1;

  /// What the host, or the container or job on it, has, and what of that is free now.
  std::int64_t memory = 0;
  std::string memory_source;
  std::int64_t free_memory = 0;
  /// /dev/shm, through which ranks of one host talk; 0 without one.
  std::int64_t shared_memory = 0;
  std::int64_t free_shared_memory = 0;
  /// ulimit -v, -l and -n.
  std::int64_t address_space = kUnlimited;
  std::int64_t locked_memory = kUnlimited;
  std::int64_t open_files = kUnlimited;
  /// Whether this host has adapters that need locked memory.
  bool has_infiniband = false;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ResourceFacts, memory, memory_source, free_memory, shared_memory, free_shared_memory,
                                   address_space, locked_memory, open_files, has_infiniband)

/// Local.
ResourceFacts resource_facts();

/// Whether each rank has enough of all. Both of all ranks, [P]. Local.
Findings check_resources(const std::vector<ResourceFacts>& ranks, const std::vector<std::string>& hosts);

}  // namespace negatron

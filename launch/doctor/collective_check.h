#pragma once

#include <string>
#include <vector>

#include "launch/doctor/collective_speed.h"
#include "launch/doctor/finding.h"

namespace negatron {

/// What the machine should give.
struct ExpectedSpeed {
  /// Bytes a second that a rank receives, about; 0 where nobody tells.
  double rate = 0.0;
  /// "half of what ranks copy in memory"
  std::string source;
};

/// Of ranks that copy `copy_rate` bytes a second in the memory of their one host, by which each message goes twice.
ExpectedSpeed expected_in_memory(double copy_rate);
/// Of hosts of at most `ranks_a_host` ranks that share a network of `network_rate` bytes a second, 0 for unknown.
ExpectedSpeed expected_over_network(double network_rate, int ranks_a_host);

/// A line for each collective over `transport` ("MPI", "NCCL") and one for those that there was no time for. Local.
Findings check_collectives(const std::string& transport, const std::vector<CollectiveSpeed>& speeds,
                           const ExpectedSpeed& expected);

}  // namespace negatron

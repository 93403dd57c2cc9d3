#pragma once

#include <string>
#include <vector>

#include "comm/communicator.h"
#include "launch/doctor/finding.h"

namespace negatron {

/// Seconds that the clock of each rank is ahead of rank 0's, [P], to within the time of a barrier: the median of
/// several looks at once. Collective.
std::vector<double> clock_offsets(Communicator& comm);

/// Whether the clocks of hosts agree as far as times of files and logs need it. Both of all ranks, [P]. Local.
Findings check_clocks(const std::vector<double>& offsets, const std::vector<std::string>& hosts);

}  // namespace negatron

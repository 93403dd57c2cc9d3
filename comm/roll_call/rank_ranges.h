#pragma once

#include <string>
#include <vector>

namespace negatron {

/// "rank 3", "ranks 0 to 2, 5": for people. `ranks` ascend. Local.
std::string rank_ranges(const std::vector<int>& ranks);

/// "ranks 0 to 3 on n1, ranks 4, 5 on n2": by host, in the order of their first rank. `hosts`: of all ranks, [P].
/// Local.
std::string ranks_by_host(const std::vector<std::string>& hosts);

/// The same of `ranks` alone, which ascend. `hosts`: of all ranks, [P]. Local.
std::string ranks_by_host(const std::vector<int>& ranks, const std::vector<std::string>& hosts);

}  // namespace negatron

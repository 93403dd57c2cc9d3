#pragma once

#include <string>
#include <vector>

namespace negatron {

/// Ranks that say the same.
struct RankGroup {
  std::string text;
  /// Ascending.
  std::vector<int> ranks;
};

/// In the order of their first ranks; ranks that say nothing are in none. `texts` are of all ranks, [P]. Local.
std::vector<RankGroup> rank_groups(const std::vector<std::string>& texts);

/// "64 cores" where all ranks say that, else "ranks 0 to 3 on n1: 64 cores; rank 4 on n2: 8 cores", of many groups the
/// first. `texts` and `hosts` are of all ranks, [P]. Local.
std::string said_by_ranks(const std::vector<std::string>& texts, const std::vector<std::string>& hosts);

/// How many ranks share the host of each, [P]. Local.
std::vector<int> ranks_on_hosts(const std::vector<std::string>& hosts);

/// The first rank of each host, ascending. Local.
std::vector<std::size_t> first_ranks(const std::vector<std::string>& hosts);

}  // namespace negatron

#include "comm/roll_call/rank_ranges.h"

#include <algorithm>
#include <cstddef>

namespace negatron {

std::string rank_ranges(const std::vector<int>& ranks) {
  std::string text;
  for (std::size_t begin = 0; begin < ranks.size();) {
    std::size_t end = begin + 1;
    while (end < ranks.size() && ranks[end] == ranks[end - 1] + 1) ++end;
    text += (text.empty() ? "" : ", ") + std::to_string(ranks[begin]);
    if (end - begin > 1) text += (end - begin == 2 ? ", " : " to ") + std::to_string(ranks[end - 1]);
    begin = end;
  }
  return (ranks.size() == 1 ? "rank " : "ranks ") + text;
}

std::string ranks_by_host(const std::vector<std::string>& hosts) {
  std::vector<std::string> names;
  std::vector<std::vector<int>> ranks;
  for (std::size_t rank = 0; rank < hosts.size(); ++rank) {
    const auto known = std::find(names.begin(), names.end(), hosts[rank]);
    const auto place = static_cast<std::size_t>(known - names.begin());
    if (known == names.end()) {
      names.push_back(hosts[rank]);
      ranks.emplace_back();
    }
    ranks[place].push_back(static_cast<int>(rank));
  }
  std::string text;
  for (std::size_t host = 0; host < names.size(); ++host) {
    text += (text.empty() ? "" : ", ") + rank_ranges(ranks[host]) + " on " + names[host];
  }
  return text;
}

}  // namespace negatron

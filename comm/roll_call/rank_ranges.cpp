#include "comm/roll_call/rank_ranges.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

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
  std::vector<int> ranks(hosts.size());
  std::iota(ranks.begin(), ranks.end(), 0);
  return ranks_by_host(ranks, hosts);
}

std::string ranks_by_host(const std::vector<int>& ranks, const std::vector<std::string>& hosts) {
  std::vector<std::string> names;
  std::vector<std::vector<int>> ranks_of;
  for (const int rank : ranks) {
    const std::string& host = hosts[static_cast<std::size_t>(rank)];
    const auto known = std::find(names.begin(), names.end(), host);
    const auto place = static_cast<std::size_t>(known - names.begin());
    if (known == names.end()) {
      names.push_back(host);
      ranks_of.emplace_back();
    }
    ranks_of[place].push_back(rank);
  }
  std::string text;
  for (std::size_t host = 0; host < names.size(); ++host) {
    text += (text.empty() ? "" : ", ") + rank_ranges(ranks_of[host]) + " on " + names[host];
  }
  return text;
}

}  // namespace negatron

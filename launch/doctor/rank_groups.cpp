#include "launch/doctor/rank_groups.h"

#include <algorithm>
#include <cstddef>

#include "comm/roll_call/rank_ranges.h"

namespace negatron {

std::vector<RankGroup> rank_groups(const std::vector<std::string>& texts) {
  std::vector<RankGroup> groups;
  for (std::size_t rank = 0; rank < texts.size(); ++rank) {
    if (texts[rank].empty()) continue;
    const auto known = std::find_if(groups.begin(), groups.end(), [&](auto& one) { return one.text == texts[rank]; });
    RankGroup& group = known == groups.end() ? groups.emplace_back(RankGroup{texts[rank], {}}) : *known;
    group.ranks.push_back(static_cast<int>(rank));
  }
  return groups;
}

std::string said_by_ranks(const std::vector<std::string>& texts, const std::vector<std::string>& hosts) {
  // Of a thousand hosts that all differ, the first say enough.
  constexpr std::size_t kMostGroups = 6;
  const std::vector<RankGroup> groups = rank_groups(texts);
  if (groups.size() == 1 && groups.front().ranks.size() == texts.size()) return groups.front().text;
  std::string said;
  for (std::size_t i = 0; i < std::min(groups.size(), kMostGroups); ++i) {
    said += (i == 0 ? "" : "; ") + ranks_by_host(groups[i].ranks, hosts) + ": " + groups[i].text;
  }
  if (groups.size() > kMostGroups) said += "; and " + std::to_string(groups.size() - kMostGroups) + " more kinds";
  return said;
}

std::vector<int> ranks_on_hosts(const std::vector<std::string>& hosts) {
  std::vector<int> counts;
  for (const std::string& host : hosts) {
    counts.push_back(static_cast<int>(std::count(hosts.begin(), hosts.end(), host)));
  }
  return counts;
}

std::vector<std::size_t> first_ranks(const std::vector<std::string>& hosts) {
  std::vector<std::size_t> first;
  for (const RankGroup& group : rank_groups(hosts)) first.push_back(static_cast<std::size_t>(group.ranks.front()));
  return first;
}

}  // namespace negatron

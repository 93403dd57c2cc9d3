#include "runtime/planning/network.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

namespace negatron {
namespace {

double units(std::int64_t ranks, std::int64_t size) {
  return std::ceil(static_cast<double>(ranks) / static_cast<double>(size));
}

/// The part of what a rank receives that comes by its link of this level.
double share_of(Collective collective, std::int64_t ranks, std::int64_t inner, std::int64_t outer) {
  const auto others = static_cast<double>(ranks - 1);
  if (collective == Collective::kAllToAll) return static_cast<double>(outer - inner) / others;
  return static_cast<double>(ranks - inner) / others / static_cast<double>(inner);
}

}  // namespace

const char* name_of(Collective collective) {
  switch (collective) {
    case Collective::kAllGather:
      return "all_gather";
    case Collective::kAllToAll:
      return "all_to_all";
    case Collective::kAllReduce:
      return "all_reduce";
  }
  throw std::invalid_argument("unknown collective");
}

double Link::transfer_seconds(double bytes) const {
  return bytes > 0.0 ? (bytes + half_bytes) / bytes_per_second : 0.0;
}

CollectiveTime operator+(const CollectiveTime& left, const CollectiveTime& right) {
  return {left.latency + right.latency, left.bandwidth + right.bandwidth};
}

double steps_of(Collective collective, std::int64_t ranks, std::int64_t inner, std::int64_t outer) {
  switch (collective) {
    case Collective::kAllGather:
      return units(ranks, inner) - units(ranks, outer);
    case Collective::kAllToAll:
      return static_cast<double>(outer - inner);
    case Collective::kAllReduce:
      return inner == 1 ? 2.0 * static_cast<double>(outer - 1) : 2.0 * std::ceil(std::log2(units(outer, inner)));
  }
  throw std::invalid_argument("unknown collective");
}

// Example: 8 ranks on 2 nodes of 4, so h = 1, g = 4 and then h = 4, g = 8. Steps and shares of the bytes:
//               within a node     between nodes
//  all_gather   6 steps, 1        1 step, 1/7
//  all_to_all   3 steps, 3/7      4 steps, 4/7
//  all_reduce   6 steps, 1        2 steps, 1/7
CollectiveTime collective_time(const Network& network, Collective collective, std::int64_t ranks, double bytes) {
  if (network.levels.empty() || network.levels.back().ranks < ranks) {
    throw std::invalid_argument("the network joins fewer than " + std::to_string(ranks) + " ranks");
  }
  if (ranks <= 1) return {};
  CollectiveTime time{network.launch_seconds, 0.0};
  std::int64_t inner = 1;
  for (const NetworkLevel& level : network.levels) {
    // A job smaller than a node never leaves it: the level is cut to the job, and the loop ends there.
    const std::int64_t outer = std::min(level.ranks, ranks);
    const Link& link = level.links[static_cast<std::size_t>(collective)];
    time.latency += steps_of(collective, ranks, inner, outer) * link.step_seconds;
    time.bandwidth += link.transfer_seconds(bytes * share_of(collective, ranks, inner, outer));
    inner = outer;
    if (inner == ranks) break;
  }
  return time;
}

}  // namespace negatron

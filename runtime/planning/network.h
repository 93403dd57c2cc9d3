#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <vector>

namespace negatron {

/// The collectives of a training step. Names are those of comm/traffic.h.
enum class Collective { kAllGather, kAllToAll, kAllReduce };
inline constexpr std::size_t kCollectiveCount = 3;
/// "all_gather", "all_to_all", "all_reduce".
const char* name_of(Collective collective);

/// What one collective costs on one level of a network.
struct Link {
  /// alpha: seconds of each step of the algorithm.
  double step_seconds = 0.0;
  /// beta_max: bytes per second of one rank, one way, of long messages.
  double bytes_per_second = std::numeric_limits<double>::infinity();
  /// n_half: the message that moves at half of that.
  double half_bytes = 0.0;

  /// bytes / beta(bytes), beta(bytes) = beta_max bytes / (bytes + n_half): seconds. 0 for no bytes.
  double transfer_seconds(double bytes) const;
};

/// Ranks that reach each other by the same links: those of one node, then those of all nodes.
struct NetworkLevel {
  /// How many ranks a unit of this level has; a multiple of that of the level below.
  std::int64_t ranks = std::numeric_limits<std::int64_t>::max();
  /// Indexed by Collective.
  std::array<Link, kCollectiveCount> links;
};

struct Network {
  /// Of every collective, before anything moves.
  double launch_seconds = 0.0;
  /// From the inside out. The last level joins all ranks.
  std::vector<NetworkLevel> levels;
};

/// Seconds of a collective. What more bytes would not change, and what they would.
struct CollectiveTime {
  double latency = 0.0;
  double bandwidth = 0.0;
  double seconds() const { return latency + bandwidth; }
};
CollectiveTime operator+(const CollectiveTime& left, const CollectiveTime& right);

/// T = launch + sum over levels [steps alpha + bytes / beta(bytes)] (COST_MODEL.md 3) of a collective among `ranks`
/// neighbours, of which each receives `bytes`, as comm/traffic.h counts them. Level l has units of g ranks made of
/// units of h ranks (h = 1 for the first level), and n = ranks:
///
///   all_gather   n/h - n/g steps: a ring through all ranks        bytes (n - h) / (n - 1) / h: the h ranks of a unit
///   all_reduce   2 (g - 1) steps in the first level, then           share what comes from outside
///                2 log2(g/h): a tree over units
///   all_to_all   g - h steps: a message to each rank in turn      bytes (g - h) / (n - 1): each rank by itself
///
/// Levels add up although a ring keeps all of them busy at once: an upper bound, unless links were calibrated with this
/// sum. One rank alone: nothing. Throws std::invalid_argument when the network has no level for so many ranks.
CollectiveTime collective_time(const Network& network, Collective collective, std::int64_t ranks, double bytes);

/// Steps of one level in the formula above.
double steps_of(Collective collective, std::int64_t ranks, std::int64_t inner, std::int64_t outer);

}  // namespace negatron

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/ATen.h>

#include "comm/communicator.h"

namespace negatron {

/// How long one kind of collective takes.
struct CollectiveSpeed {
  /// As the Communicator calls it: "all_gather".
  std::string name;
  /// Seconds of one with next to nothing in it.
  double latency = 0.0;
  /// Of a large one: what the rank that receives most receives (comm/traffic.h), and seconds. 0 of a barrier.
  std::int64_t bytes = 0;
  double seconds = 0.0;

  /// Bytes a second; 0 of a barrier.
  double rate() const { return seconds > 0.0 ? static_cast<double>(bytes) / seconds : 0.0; }
};

/// Each collective between tensors of `device`, by the slowest rank. Sizes grow until one takes about a hundredth of a
/// second. Collectives that there is no time for within `budget` seconds are left out, on every rank the same.
/// Collective.
std::vector<CollectiveSpeed> measure_collectives(Communicator& comm, at::Device device, double budget);

/// Bytes a second that each rank copies within its own memory on `device` while all do so: the best of several copies,
/// of the slowest rank. Collective.
double measure_copies(Communicator& comm, at::Device device);

}  // namespace negatron

#pragma once

#include <functional>
#include <vector>

#include "comm/communicator.h"

namespace negatron {

/// For each of `works` the seconds from the moment when all ranks are there until the last of them is done with it: the
/// median of several rounds, after one that does not count (least times of parts add up to less than that of all). In
/// each round all of them run in turn, so that disturbances meet all alike. What they queued on `device` is waited for.
/// Collective; works may be collective too.
std::vector<double> seconds_of_ranks(Communicator& comm, at::Device device,
                                     const std::vector<std::function<void()>>& works);

}  // namespace negatron

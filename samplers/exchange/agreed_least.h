#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "comm/communicator.h"

namespace negatron {

/// `times` are those of `groups` groups of as many each, one group behind the other. Of each group the number of the
/// least, when each takes as long as on the rank where it takes longest: the same on every rank. The first of equal
/// ones; nothing of a group with fewer than two that are finite, where there is no choice. A time that is no number
/// counts as infinite. Collective: one all_reduce, of a tensor on `device`.
std::vector<std::optional<std::size_t>> agreed_least(Communicator& comm, std::vector<double> times, std::size_t groups,
                                                     at::Device device);

}  // namespace negatron

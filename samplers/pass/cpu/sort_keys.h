#pragma once

#include <cstdint>

namespace negatron {

/// Sorts `count` selection keys ascending: two sweeps by where their scores lie between the least and the largest, and
/// what these leave side by side by comparison. A comparison sort of all mispredicts half of its branches on such keys
/// and takes four times as long. `spare` holds as many. Local.
void sort_keys(std::int64_t* keys, std::int64_t count, std::int64_t* spare);

}  // namespace negatron

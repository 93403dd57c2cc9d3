#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace negatron {

/// For each of some lists a number that more than ranks - 1 of its scores lie above, and few more do: by bisection on
/// the number (RTop-K, arXiv:2409.00822), whose counting is plain vector code where a selection is not. All scores lie
/// in [-limits, limits], below limits, and ranks are at most the lists' lengths; a rank of 0 asks for nothing. Local.
///
/// count(bounds, counts) says of each list how many of its scores lie above a bound.
std::vector<float> rank_bounds(
    const std::vector<float>& ranks, const std::vector<float>& limits,
    const std::function<void(const std::vector<float>& bounds, std::vector<float>& counts)>& count);

/// What rank_bounds() says of one list with these scores.
float rank_bound(std::span<const float> scores, std::int64_t rank, float limit);

}  // namespace negatron

#pragma once

#include <cstdint>
#include <span>

namespace negatron {

/// A number that at least `rank` of the scores reach, and few more: by bisection on the number (RTop-K,
/// arXiv:2409.00822), whose counting is plain vector code where a selection is not. All scores lie in [-limit, limit]
/// and the rank is at most their
/// number. Local.
float rank_bound(std::span<const float> scores, std::int64_t rank, float limit);

}  // namespace negatron

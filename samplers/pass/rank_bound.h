#pragma once

#include <cstdint>

namespace negatron {

/// A number that at least `rank` of `count` scores reach, and few more: by bisection on the number (RTop-K,
/// arXiv:2409.00822), whose counting is plain vector code where a selection is not. All scores lie in [-limit, limit]
/// and rank <= count. Local.
float rank_bound(const float* scores, std::int64_t count, std::int64_t rank, float limit);

}  // namespace negatron

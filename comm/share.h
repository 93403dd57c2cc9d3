#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace negatron {

/// [begin, end)
struct Range {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int64_t size() const noexcept { return end - begin; }
};

/// The one rule by which `count` items in order are split over ranks: contiguous, as even as possible, the first
/// `count % ranks` ranks take one more. Example: 7 items on 3 ranks are [0,3) [3,5) [5,7). Local.
inline Range share(std::int64_t count, int ranks, int rank) {
  const std::int64_t quotient = count / ranks;
  const std::int64_t remainder = count % ranks;
  const std::int64_t begin = rank * quotient + std::min<std::int64_t>(rank, remainder);
  return {begin, begin + quotient + (rank < remainder ? 1 : 0)};
}

/// The sizes of all shares, in rank order: what ragged collectives take. Local.
inline std::vector<std::int64_t> share_sizes(std::int64_t count, int ranks) {
  std::vector<std::int64_t> sizes;
  sizes.reserve(static_cast<std::size_t>(ranks));
  for (int rank = 0; rank < ranks; ++rank) sizes.push_back(share(count, ranks, rank).size());
  return sizes;
}

}  // namespace negatron

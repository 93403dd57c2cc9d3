#include "samplers/pass/cpu/near_lists.h"

#include <algorithm>
#include <limits>

namespace negatron {
namespace {

/// A cache line. Lists whose distance is a power of two would all begin in the same set of the first-level cache.
constexpr std::int64_t kLine = 64 / sizeof(NearRow);

std::int64_t stride_of(std::int64_t capacity) {
  // An odd number of cache lines: room for 4288 rows is 536 lines, so the stride is 537.
  return (capacity / kLine + 1) * kLine + (capacity / kLine % 2 == 0 ? 0 : kLine);
}

}  // namespace

std::int64_t NearLists::memory_size(std::int64_t queries, std::int64_t capacity) {
  // In numbers of 4 bytes: a threshold and a count for each query, and 8 bytes for each place of its list.
  return 2 * queries * (1 + stride_of(capacity));
}

NearLists::NearLists(float* memory, std::int64_t queries, std::int64_t capacity, const float* thresholds)
    : queries_(queries), capacity_(capacity), thresholds_(memory) {
  std::copy_n(thresholds, queries, thresholds_);
  panel_.thresholds = thresholds_;
  panel_.counts = reinterpret_cast<std::int32_t*>(thresholds_ + queries);
  std::fill_n(panel_.counts, queries, 0);
  panel_.stride = stride_of(capacity);
  panel_.rows = reinterpret_cast<NearRow*>(thresholds_ + 2 * queries);
}

void NearLists::make_room(std::int64_t rows) {
  for (std::int64_t query = 0; query < queries_; ++query) {
    // The kernel writes without looking at the capacity, so there must be room for the case that every row passes. A
    // list that is stopped leaves its query open, and open is searched again: nothing is lost but time.
    if (panel_.counts[query] + rows > capacity_) thresholds_[query] = kInfiniteScore;
  }
}

bool NearLists::stopped(std::int64_t query) const {
  return thresholds_[query] == kInfiniteScore;
}

}  // namespace negatron

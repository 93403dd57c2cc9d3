#include "samplers/pass/cpu/rank_bound.h"

#include <cstddef>
#include <cstdint>

namespace negatron {
namespace {

constexpr int kMostSteps = 40;
/// Good enough: one in so many more than asked for.
constexpr float kOneMoreOf = 64.0f;

}  // namespace

std::vector<float> rank_bounds(const std::vector<float>& ranks, const std::vector<float>& limits,
                               const std::function<void(const std::vector<float>&, std::vector<float>&)>& count) {
  const std::size_t lists = ranks.size();
  std::vector<float> low(lists), high = limits, middle(lists), above(lists);
  std::vector<bool> done(lists);
  for (std::size_t i = 0; i < lists; ++i) {
    low[i] = -limits[i];
    done[i] = ranks[i] == 0.0f;
  }
  // More than rank - 1 scores lie above `low`, fewer than rank above `high`: this holds at the start, because all
  // scores lie between the limits, and each step keeps it. It ends when few enough lie above `low`, or when no number
  // lies between the two, as with ties.
  //
  // Example: scores 0.9, 0.8, 0.8, 0.3, rank 2, limit 1. Above 0, 0.5 and 0.75 lie 4, 3 and 3, above 0.875 only 1. No
  // bound has just 2 above it; low ends at the number below 0.8, and 3 scores lie above.
  for (int step = 0; step < kMostSteps; ++step) {
    bool all_done = true;
    for (std::size_t i = 0; i < lists; ++i) {
      middle[i] = 0.5f * (low[i] + high[i]);
      if (!(low[i] < middle[i] && middle[i] < high[i])) done[i] = true;
      all_done = all_done && done[i];
    }
    if (all_done) break;
    count(middle, above);
    for (std::size_t i = 0; i < lists; ++i) {
      if (done[i]) continue;
      if (above[i] < ranks[i]) {
        high[i] = middle[i];
      } else {
        low[i] = middle[i];
        done[i] = above[i] <= ranks[i] + ranks[i] / kOneMoreOf;
      }
    }
  }
  return low;
}

float rank_bound(std::span<const float> scores, std::int64_t rank, float limit) {
  const auto count_one = [scores](const std::vector<float>& bounds, std::vector<float>& above) {
    const float bound = bounds[0];
    std::int32_t count = 0;
    for (const float score : scores) count += score > bound ? 1 : 0;
    above[0] = static_cast<float>(count);
  };
  return rank_bounds({static_cast<float>(rank)}, {limit}, count_one)[0];
}

}  // namespace negatron

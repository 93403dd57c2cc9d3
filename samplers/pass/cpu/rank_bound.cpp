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

#include "samplers/pass/rank_bound.h"

namespace negatron {
namespace {

constexpr int kMostSteps = 40;
/// Good enough: one in so many more than asked for.
constexpr std::int64_t kOneMoreOf = 64;

std::int64_t count_from(std::span<const float> scores, float bound) {
  std::int32_t reached = 0;
  for (const float score : scores) reached += score >= bound ? 1 : 0;
  return reached;
}

}  // namespace

float rank_bound(std::span<const float> scores, std::int64_t rank, float limit) {
  float low = -limit;
  float high = limit;
  for (int step = 0; step < kMostSteps; ++step) {
    const float middle = 0.5f * (low + high);
    if (!(low < middle && middle < high)) break;
    const std::int64_t reached = count_from(scores, middle);
    if (reached < rank) {
      high = middle;
    } else {
      low = middle;
      if (reached <= rank + rank / kOneMoreOf) break;
    }
  }
  return low;
}

}  // namespace negatron

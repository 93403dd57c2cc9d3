#include "samplers/pass/selection/sample_rank.h"

#include <algorithm>
#include <cmath>

namespace negatron {
namespace {

/// One of so many rows is sampled, within limits between which a sample is large enough to say something and small
/// enough to lie in the cache.
constexpr std::int64_t kSampled = 32;
constexpr std::int64_t kLeastSample = 512;
constexpr std::int64_t kMostSample = 16384;
/// Of the sample's rows as many are taken for better than the m-th best as are expected, four standard deviations more,
/// and so many more, which count while fewer than one is expected.
constexpr double kDeviations = 4.0;
constexpr double kFurtherRows = 4.0;
/// Lists hold so many times what is expected, and so many more.
constexpr std::int64_t kSpare = 2;
constexpr std::int64_t kSpareRows = 512;

}  // namespace

std::int64_t sample_size(std::int64_t m, std::int64_t valid) {
  const std::int64_t size = std::clamp(valid / kSampled, kLeastSample, kMostSample);
  // Of 65,536 rows 2048 are sampled. Of fewer than 1024 none: 512, the least sample, would be more than half of them.
  return size <= valid / 2 && m <= valid / 2 ? size : 0;
}

std::int64_t rank_in_sample(std::int64_t m, std::int64_t sampled, std::int64_t valid) {
  // Of the m best as many lie in the sample as its share of all rows says: 1024 * 2048 / 65,536 = 32, and the rank is
  // 32 + 4 * 5.66 + 4, rounded up, 59.
  const double expected = static_cast<double>(m) * static_cast<double>(sampled) / static_cast<double>(valid);
  return static_cast<std::int64_t>(std::ceil(expected + kDeviations * std::sqrt(expected) + kFurtherRows));
}

std::int64_t list_capacity(std::int64_t m, std::int64_t sampled, std::int64_t valid) {
  // Rank 59 of the sample stands for 59 * 32 = 1888 rows of all; room for 2 * 1888 + 512 = 4288.
  return kSpare * (rank_in_sample(m, sampled, valid) * valid / sampled) + kSpareRows;
}

}  // namespace negatron

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
  return size <= valid / 2 && m <= valid / 2 ? size : 0;
}

std::int64_t rank_in_sample(std::int64_t m, std::int64_t sampled, std::int64_t valid) {
  const double expected = static_cast<double>(m) * static_cast<double>(sampled) / static_cast<double>(valid);
  return static_cast<std::int64_t>(std::ceil(expected + kDeviations * std::sqrt(expected) + kFurtherRows));
}

std::int64_t list_capacity(std::int64_t m, std::int64_t sampled, std::int64_t valid) {
  return kSpare * (rank_in_sample(m, sampled, valid) * valid / sampled) + kSpareRows;
}

}  // namespace negatron

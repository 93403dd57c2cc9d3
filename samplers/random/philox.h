#pragma once

#include <array>
#include <cstdint>

namespace negatron {

/// Purposes keep streams of random numbers apart: the same seed, step and index give unrelated numbers for each.
enum class Purpose : std::uint32_t {
  kBankFill = 1,
  kEpochOrder = 2,
  kAugmentation = 3,
  kInitialization = 4,
  kEvaluation = 5,
  kNegativeDraw = 6,
  kPairMix = 7,
  kQueryMix = 8,
  kClusterStart = 9,
  kViewColours = 10,
  kFeatureNoise = 11,
  kFeatureDropout = 12,
  kListChoice = 13,
  kGeneratorStart = 14,
  kGeneratorNoise = 15,
  kCacheStart = 16,
  kCacheCandidates = 17,
  kCacheDraw = 18,
  kMinedDraw = 19,
  kBatchOrder = 20
};

/// Philox4x32 with 10 rounds (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): a bijection of
/// 128-bit counters for each 64-bit key.
std::array<std::uint32_t, 4> philox4x32_10(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

/// The key of all streams of a seed and a purpose: seed xor purpose * 2^64/golden ratio.
std::array<std::uint32_t, 2> stream_key(std::uint64_t seed, Purpose purpose);

/// A stream of random numbers that is a function of (seed, purpose, step, index) and of nothing else, so that any rank
/// can regenerate any number and results do not depend on the number of ranks. Cheap to construct: no state to warm up.
///
/// Counter = (block of four draws, low and high half of index, step), key = stream_key(). Local.
class CounterRng {
 public:
  /// Throws std::invalid_argument when `step` needs more than 32 bits: two streams would be the same.
  CounterRng(std::uint64_t seed, Purpose purpose, std::uint64_t step, std::uint64_t index);

  std::uint32_t next_u32();
  std::uint64_t next_u64();
  /// Uniform in [0, 1), 53 random bits.
  double uniform();
  /// Standard normal, by Box and Muller; two at a time.
  double normal();
  /// Uniform in [0, n), without bias. Throws std::invalid_argument when n is 0.
  std::uint64_t below(std::uint64_t n);

 private:
  std::array<std::uint32_t, 4> counter_;
  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 4> block_{};
  std::size_t used_;
  double spare_normal_ = 0.0;
  bool has_spare_normal_ = false;
};

}  // namespace negatron

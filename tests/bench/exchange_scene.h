#pragma once

#include <cstdint>

namespace negatron::testing {

/// Bytes of searching the hardest N = 1024 of K = 65,536 rows, d = 128, over ranks that are threads.
struct HardSetBytes {
  /// Received by one rank, fallbacks included.
  double received = 0.0;
  /// What lists of N from every shard would have been.
  double full_lists = 0.0;
  double fallback_rate = 0.0;
  /// Whether all ranks found what one sort of the whole bank finds.
  bool exact = false;
};
HardSetBytes measure_hard_sets(int ranks, std::int64_t queries_per_rank);

/// Bytes received per query of a whole exchange with MoCHi's mixes (N = 1024, s = 1024, s' = 128), rows in bf16.
struct MixBytes {
  double fetch = 0.0;
  double no_fetch = 0.0;
};
MixBytes measure_mixes(int ranks, std::int64_t queries_per_rank);

}  // namespace negatron::testing

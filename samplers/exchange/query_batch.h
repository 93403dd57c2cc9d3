#pragma once

#include <cstdint>
#include <numeric>
#include <vector>

#include <ATen/ATen.h>

namespace negatron {

/// How the queries that one group of ranks serves are split over its ranks: those of one rank are consecutive in the
/// global batch, and so are those of consecutive ranks. With a bank mesh a group serves a part of the global batch.
struct QueryShares {
  /// b of each rank of the group.
  std::vector<std::int64_t> sizes;
  /// Position in the global batch of rank 0's first query.
  std::int64_t first = 0;

  std::int64_t total() const { return std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0}); }
  std::int64_t size(int rank) const { return sizes[static_cast<std::size_t>(rank)]; }
  /// Position in the global batch of this rank's first query.
  std::int64_t begin(int rank) const { return std::accumulate(sizes.begin(), sizes.begin() + rank, first); }
};

/// This rank's part of a step as samplers and the exchange see it. Without gradient.
struct QueryBatch {
  at::Tensor queries;  // [b, d] fp32 or fp64
  at::Tensor keys;     // [b, d] same dtype, the positives
  at::Tensor ids;      // [b] int64 sample ids, below 0 for "none"; undefined for none at all
  at::Tensor all_ids;  // [Q] int64 on the host, those of all ranks of the group where they are known; else undefined
  at::Tensor labels;   // [b] int64, below 0 where unknown; undefined when the data has none
  QueryShares shares;
  std::int64_t step = 0;
  /// Training progress in epochs, for what is annealed by epoch.
  double epoch = 0.0;
};

}  // namespace negatron

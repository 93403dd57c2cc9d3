#pragma once

#include <cstdint>
#include <utility>

#include <ATen/ATen.h>

namespace negatron {

/// The exclusions of a scan (bank_scan.h) where its rows are. Pairs that are there already are put in order there: a
/// CUDA graph excludes what they say when it is replayed. Others are checked on the host and copied from pinned memory,
/// for which nobody waits, but which a graph would repeat as they were. Local.
class DeviceExclusions {
 public:
  /// The exclusions of pairs (query, row) [M, 2] int64; those with a -1 exclude nothing. Elsewhere than on `device`
  /// they must be on the host; throws std::invalid_argument when one of these names no query or no row. Those on it are
  /// not checked.
  static DeviceExclusions of(const at::Tensor& pairs, std::int64_t queries, std::int64_t rows, at::Device device);
  static DeviceExclusions from_host(const at::Tensor& pairs, std::int64_t queries, std::int64_t rows,
                                    at::Device device);
  static DeviceExclusions in_place(const at::Tensor& pairs);

  /// [M, 2] int32, row and query, in the order of rows.
  const at::Tensor& pairs() const noexcept { return pairs_; }
  /// [chunks + 1] int32, where the pairs of each so many rows begin, and where those of the last end.
  at::Tensor chunk_begins(std::int64_t chunks, std::int64_t chunk_rows) const;
  /// [queries] int64, how many pairs each query is in.
  at::Tensor count(std::int64_t queries) const;

 private:
  explicit DeviceExclusions(at::Tensor pairs) : pairs_(std::move(pairs)) {}
  at::Tensor pairs_;
};

}  // namespace negatron

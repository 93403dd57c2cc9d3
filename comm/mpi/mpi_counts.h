#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include <ATen/ATen.h>

namespace negatron {

/// MPI counts and displacements are `int`. This is how rows become counts that fit: in bytes where the bytes of all
/// rows fit an int, else in whole rows (a derived datatype). Two ranks may count differently: MPI compares bytes.
struct MpiCounts {
  /// Bytes of the thing counted: 1, or the bytes of a row.
  std::int64_t unit_bytes = 1;
  std::vector<int> counts;
  std::vector<int> displacements;
};

constexpr std::int64_t kMpiLimit = std::numeric_limits<int>::max();

/// `rows[r]` rows of `row_bytes` bytes each, one after the other in rank order. Throws CommError that names the limit
/// when neither bytes nor rows fit. Local.
MpiCounts mpi_counts(at::IntArrayRef rows, std::int64_t row_bytes);

}  // namespace negatron

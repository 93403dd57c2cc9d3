#include "comm/mpi/mpi_counts.h"

#include <numeric>

#include "comm/error.h"

namespace negatron {

MpiCounts mpi_counts(at::IntArrayRef rows, std::int64_t row_bytes) {
  const std::int64_t total = std::accumulate(rows.begin(), rows.end(), std::int64_t{0});
  // Divided, not multiplied: the product may not fit even 64 bits.
  const bool bytes_fit = row_bytes == 0 || total <= kMpiLimit / row_bytes;
  if (!bytes_fit && (total > kMpiLimit || row_bytes > kMpiLimit)) {
    throw CommError(std::to_string(total) + " rows of " + std::to_string(row_bytes) +
                    " bytes are too many for one MPI call, which counts up to " + std::to_string(kMpiLimit) +
                    " rows and bytes per row; move fewer rows at a time");
  }
  // Say 2, 1 and 2 rows. Of 512 bytes each they are counted in bytes: counts 1024, 512, 1024 at 0, 1024, 1536. Of 1 GiB
  // each 5 GiB do not fit an int, so the unit is a row: counts 2, 1, 2 at 0, 2, 3.
  MpiCounts result;
  result.unit_bytes = bytes_fit ? 1 : row_bytes;
  const std::int64_t units_per_row = bytes_fit ? row_bytes : 1;
  std::int64_t begin = 0;
  for (const std::int64_t count : rows) {
    result.counts.push_back(static_cast<int>(count * units_per_row));
    result.displacements.push_back(static_cast<int>(begin));
    begin += count * units_per_row;
  }
  return result;
}

}  // namespace negatron

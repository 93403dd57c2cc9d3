#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/snapshots/hdf5/hdf5_layout.h"

namespace negatron {

/// A file of a plan, laid out by HDF5 but without the datasets' bytes, front to back.
struct Skeleton {
  struct Piece {
    /// Either these bytes (HDF5's own) ...
    std::vector<std::byte> metadata;
    /// ... or this many of a dataset of the plan.
    std::size_t dataset = 0;
    std::int64_t data_bytes = 0;
  };
  std::vector<Piece> pieces;
  std::int64_t bytes = 0;
};

/// Local; takes the Hdf5Lock for a moment and no disk. The same plan gives the same bytes. Throws SnapshotError for
/// what HDF5 refuses, such as a name that is there twice.
Skeleton make_skeleton(const Hdf5Layout& plan);

}  // namespace negatron

#pragma once

// For the sources of this folder only.

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/snapshots/hdf5/hdf5_handle.h"

namespace negatron {

/// The i-th filter of a dataset's creation properties. Under an Hdf5Lock.
H5Z_filter_t filter_at(hid_t properties, int i);

/// A chunked dataset behind filters, and a block of it.
struct PackedBlock {
  hid_t dataset = H5I_INVALID_HID;
  /// Of its creation.
  hid_t properties = H5I_INVALID_HID;
  std::size_t element_bytes = 0;
  std::vector<std::int64_t> begin, count;
  /// Of the whole file.
  std::int64_t file_bytes = 0;
};

/// The reason why a chunk of the block is not what it should be; empty when all are. HDF5 takes as many bytes as a
/// chunk should have, and looks at none of what its filters made of it: those of a damaged file may be fewer, and what
/// lies behind them in memory would be read. Under an Hdf5Lock. Throws SnapshotError for what HDF5 refuses.
std::string wrong_chunk(const PackedBlock& block);

}  // namespace negatron

#pragma once

#include <filesystem>

#include "runtime/snapshots/bank_file.h"

namespace negatron {

/// Writes bank.h5: the shards' files beside it as one bank, for h5py, h5ls and friends; this program never reads it.
/// Datasets rows, ids, labels, steps, sequence over all keys that count, in ascending sequence number. Local. (HDF5
/// shows the keys of a missing shard as zeros, so bank.h5 proves nothing: `negatron bank verify` does.)
FileDigest write_virtual_bank(FileLayer& files, const std::filesystem::path& path, const SavedBank& bank,
                              const FileWriting& writing);

}  // namespace negatron

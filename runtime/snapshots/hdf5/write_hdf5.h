#pragma once

#include <filesystem>

#include "runtime/snapshots/files/digested_file.h"
#include "runtime/snapshots/hdf5/hdf5_layout.h"

namespace negatron {

/// Writes the file of a layout as a DigestedFile: front to back in one pass, read back and synced. Local. Throws
/// SnapshotError; the file is then good for nothing.
FileDigest write_hdf5(FileLayer& files, const std::filesystem::path& path, const Hdf5Layout& layout,
                      const FileWriting& writing);

}  // namespace negatron

#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string_view>

#include "runtime/snapshots/files/digest.h"
#include "runtime/snapshots/files/file_layer.h"
#include "runtime/snapshots/files/writer_pace.h"
#include "runtime/snapshots/hdf5/hdf5_layout.h"

namespace negatron {

/// Called when a save reaches a stage: "open", "data" (after each block), "flush", "verify", "fsync", "manifest",
/// "replace" (only when this step was saved before), "rename", "publish", "prune". For tests, which then kill,
/// throw or wait.
using SavePointHook = std::function<void(std::string_view stage)>;

struct FileWriting {
  /// What is in memory at a time.
  std::int64_t block_bytes = std::int64_t{1} << 20;
  SavePointHook at_save_point;
  /// Rests, and ends the writing and the reading back with a throw, between two blocks. None: at full speed to the end.
  std::shared_ptr<WriterPace> pace;

  void reach(std::string_view stage) const {
    if (at_save_point) at_save_point(stage);
  }
  void between_blocks() const {
    if (pace) pace->between_blocks();
  }
};

/// Writes the file of a plan front to back in one pass, reads it back to see that its digest is that of the bytes
/// written, and syncs it. The name is not durable before its directory is synced. Local. Throws SnapshotError; the file
/// is then good for nothing.
FileDigest write_hdf5(FileLayer& files, const std::filesystem::path& path, const Hdf5Layout& plan,
                      const FileWriting& writing);
/// As write_hdf5, for bytes.
FileDigest write_bytes(FileLayer& files, const std::filesystem::path& path, std::span<const std::byte> bytes,
                       const FileWriting& writing);

}  // namespace negatron

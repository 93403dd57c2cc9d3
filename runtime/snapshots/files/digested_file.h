#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include "runtime/snapshots/files/digest.h"
#include "runtime/snapshots/files/file_layer.h"
#include "runtime/snapshots/files/file_writing.h"

namespace negatron {

/// One file on its way to the disk, written front to back, once. Local.
class DigestedFile {
 public:
  /// Creates the file. `writing` is referred to. Throws SnapshotError, as the other functions do; the file is then good
  /// for nothing.
  DigestedFile(FileLayer& files, const std::filesystem::path& path, const FileWriting& writing);

  void append(std::span<const std::byte> bytes);
  /// Reads the file back to see that its digest is that of the bytes written, and syncs it. The name is not durable
  /// before its directory is synced.
  FileDigest finish();

 private:
  FileLayer& files_;
  std::filesystem::path path_;
  const FileWriting& writing_;
  std::unique_ptr<OutputFile> file_;
  DigestStream digest_;
  std::int64_t bytes_ = 0;
};

/// A DigestedFile of these bytes. Local. Throws SnapshotError.
FileDigest write_bytes(FileLayer& files, const std::filesystem::path& path, std::span<const std::byte> bytes,
                       const FileWriting& writing);

}  // namespace negatron

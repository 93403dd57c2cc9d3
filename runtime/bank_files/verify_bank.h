#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "runtime/bank_files/bank_memory.h"
#include "runtime/snapshots/files/file_layer.h"

namespace negatron {

struct FileVerdict {
  std::string name;
  std::int64_t bytes = 0;
  /// A sentence; empty when the file is as it should be.
  std::string problem;
};

struct SnapshotVerdict {
  std::filesystem::path path;
  /// In the manifest's order, after the manifest itself.
  std::vector<FileVerdict> files;
  /// Names in the directory that are no part of the snapshot.
  std::vector<std::string> strangers;

  bool good() const;
};

/// Looks at everything that must hold of one snapshot: the manifest; the digest of every file; that every dataset of
/// trainer.h5 can be read; of each shard's file its attributes, shapes and types, that sequence numbers are those of
/// the ring and steps those of the manifest, that steps never go back and are none after the snapshot's, that each row
/// is finite and of norm 1 within the rounding of its type; and that no row with an id is there twice. A file whose
/// digest is wrong is not opened. Local. Throws FileError when the directory cannot be listed, and
/// std::invalid_argument when `memory` is too small.
SnapshotVerdict verify_bank(const FileLayer& files, const std::filesystem::path& snapshot, const BankMemory& memory);

}  // namespace negatron

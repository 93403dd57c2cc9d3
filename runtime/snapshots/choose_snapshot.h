#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "runtime/snapshots/files/file_layer.h"
#include "runtime/snapshots/find_snapshot.h"

namespace negatron {

/// What a user meant by the path of a snapshot or of a run.
struct ChosenSnapshot {
  Snapshot snapshot;
  /// What people should hear about how it was chosen, a sentence each.
  std::vector<std::string> notes;
};

/// The snapshot at `path`, or, when `path` is a run directory, the newest of its snapshots that verifies (nothing is
/// quarantined: looking changes nothing). Reads every file of it once, `block_bytes` at a time. Local. Throws
/// std::invalid_argument when there is neither; SnapshotError when it does not verify.
ChosenSnapshot choose_snapshot(const FileLayer& files, const std::filesystem::path& path, std::int64_t block_bytes);

/// As choose_snapshot looks for them: the snapshot itself, or all of a run, newest first. Throws as choose_snapshot;
/// never empty.
std::vector<std::filesystem::path> snapshots_at(const FileLayer& files, const std::filesystem::path& path);

}  // namespace negatron

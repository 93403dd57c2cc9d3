#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "runtime/snapshots/manifest.h"

namespace negatron {

/// A snapshot that was verified: every digest that this rank relies on is right.
struct Snapshot {
  std::filesystem::path path;
  Manifest manifest;
};

struct FindOptions {
  /// Over how many ranks the run to be restored lays its bank out (their first copy is ranks 0 to shards - 1). 0: all.
  int shards = 0;
  std::int64_t block_bytes = std::int64_t{8} << 20;
  /// How long a rank waits for what rank 0 sees and it does not: names travel slowly on some shared file systems.
  std::chrono::milliseconds visibility_wait = std::chrono::seconds(30);
};

struct FoundSnapshot {
  /// Nothing when there is no snapshot that verifies.
  std::optional<Snapshot> snapshot;
  /// What was set aside on the way, a sentence each: to be shown.
  std::vector<std::string> quarantined;
};

/// The newest snapshot under run_directory/snapshots that verifies, the same on all ranks. Rank 0 proposes; each rank
/// verifies the manifest and the files that it would read; one that any rank finds damaged is quarantined and the next
/// older is tried. Collective; `comm` carries host tensors. Throws on all ranks: NewerFormatError for one that only a
/// newer program can read, SnapshotError when some rank cannot see what rank 0 sees, or may not read it.
FoundSnapshot find_newest_snapshot(Communicator& comm, FileLayer& files, const std::filesystem::path& run_directory,
                                   const FindOptions& options);

/// The snapshot at `path`, which someone asked for by name. Collective. Throws SnapshotError on all ranks when it does
/// not verify, and quarantines nothing.
Snapshot open_snapshot(Communicator& comm, FileLayer& files, const std::filesystem::path& path,
                       const FindOptions& options);

/// Verifies every file of a snapshot; the sentences of what is wrong, none when it is whole. Local.
std::vector<std::string> verify_snapshot(const FileLayer& files, const std::filesystem::path& path,
                                         std::int64_t block_bytes);

}  // namespace negatron

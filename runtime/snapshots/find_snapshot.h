#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "runtime/snapshots/manifest.h"
#include "runtime/snapshots/trainer_state.h"

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
  /// What else must hold of the saved state; throws SnapshotError, and then the snapshot counts as damaged. Local:
  /// every rank asks.
  std::function<void(const Manifest& manifest, const TrainerState& state)> check_state;
};

struct FoundSnapshot {
  /// Nothing when there is no snapshot that verifies.
  std::optional<Snapshot> snapshot;
  /// What was set aside on the way, a sentence each: to be shown.
  std::vector<std::string> quarantined;
  /// When there is none that verifies: those that do not, newest first, and those that an earlier start set aside, a
  /// sentence each. Nothing of them was touched.
  std::vector<std::string> damaged;
};

/// The newest snapshot under run_directory/snapshots that verifies, the same on all ranks. Rank 0 proposes; each rank
/// verifies the manifest and the files that it would read, and reads what the trainer remembers; one that any rank
/// finds damaged is passed over, and quarantined once an older one was found whole. Collective; `comm` carries host
/// tensors. Throws on all ranks: NewerFormatError for one that only a newer program can read, SnapshotError when some
/// rank cannot see what rank 0 sees, or may not read it.
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

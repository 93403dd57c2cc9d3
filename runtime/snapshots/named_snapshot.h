#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "runtime/snapshots/find_snapshot.h"

namespace negatron {

/// What somebody asked a run to begin with.
struct NamedSnapshot {
  Snapshot snapshot;
  /// What people should hear about how it was chosen, a sentence each.
  std::vector<std::string> notes;
};

/// What choose_snapshot() means by `path`, for all ranks: the snapshot there, or of a run directory the newest that
/// verifies. Nothing is quarantined. Collective. Throws SnapshotError on all ranks where there is none, or none that
/// verifies; of a run whose newest only a newer program can read, NewerFormatError.
NamedSnapshot open_named_snapshot(Communicator& comm, FileLayer& files, const std::filesystem::path& path,
                                  const FindOptions& options);

}  // namespace negatron

#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "runtime/snapshots/manifest.h"
#include "runtime/snapshots/named_bank.h"
#include "runtime/snapshots/snapshot_directory.h"
#include "runtime/snapshots/trainer_state.h"

namespace negatron {

/// One save as one rank sees it. What the background threads work on: nothing here communicates.
struct SaveJob {
  std::filesystem::path run_directory;
  /// Of all snapshots.
  std::filesystem::path directory;
  /// Where this one is written; its final name is step_name(step).
  std::filesystem::path temporary;
  std::int64_t step = 0;
  int world_size = 1;
  /// Rank 0 only.
  std::optional<TrainerState> trainer;
  std::vector<SavedBank> banks;
  /// Of each of them, on ranks that write their shard, which is `shard`; else none.
  std::vector<std::shared_ptr<BankCopy>> copies;
  int shard = 0;
  Retention retention;
  FileWriting writing;
};

/// What one rank writes: its shard, and on rank 0 trainer.h5. Throws SnapshotError.
std::vector<ManifestFile> write_part(FileLayer& files, const SaveJob& job);

/// When all parts are written, on rank 0: bank.h5 of each bank, the manifest, and the renaming that makes it a
/// snapshot. `parts` are the files of all ranks. Removes no older ones: that is prune_snapshots. Throws SnapshotError,
/// and then there is no snapshot.
void commit_parts(FileLayer& files, const SaveJob& job, std::vector<ManifestFile> parts);

/// The first half of that: bank.h5 and the manifest, durable in the temporary directory.
void write_manifest(FileLayer& files, const SaveJob& job, std::vector<ManifestFile> parts);

/// What a manifest says of this bank. Local.
SavedBank describe(const NamedBank& bank);

}  // namespace negatron

#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "runtime/snapshots/save_part.h"
#include "samplers/bank/bank.h"

namespace negatron {

struct SnapshotOptions {
  Retention retention;
  /// What one file being written takes in memory, about twice over for a bank. What fits the processor's cache is fast.
  std::int64_t block_bytes = std::int64_t{1} << 20;
  SavePointHook at_save_point;
};

enum class SaveState {
  /// Nothing is being saved, and nothing was since the last report.
  kIdle,
  kRunning,
  /// Durable and verified: what restoring will find.
  kCommitted,
  /// There is no new snapshot; the old ones are untouched.
  kFailed
};

/// Equal on all ranks but for `seconds`.
struct SaveReport {
  SaveState state = SaveState::kIdle;
  std::int64_t step = 0;
  /// Of the snapshot, when committed.
  std::filesystem::path path;
  /// Why it failed; or, when committed, why old ones could not be removed. Empty when all is well.
  std::string problem;
  std::int64_t bytes = 0;
  double seconds = 0.0;
};

/// Writes snapshots of a run behind its training. One per rank. A background thread of each rank writes and syncs files
/// and never communicates; the rank's own thread makes all collectives, inside the calls below, which all ranks make in
/// the same order. `comm` carries host tensors, and is the same for all calls of a save. `files` outlives the store.
class SnapshotStore {
 public:
  /// Snapshots go to run_directory/snapshots; the run directory exists. Throws std::invalid_argument when fewer than
  /// two are to be kept.
  SnapshotStore(FileLayer& files, std::filesystem::path run_directory, SnapshotOptions options);
  /// Gives up a save that is still running: its directory stays behind as a temporary one. Waits for at most one block
  /// and one fsync.
  ~SnapshotStore();

  /// Begins to save what is now: tensors of `state` are copied at once (on rank 0, whose state it is), the rows of
  /// `bank` (may be null) while training goes on. The bank must live until the save is over; ranks beyond its first
  /// copy write nothing. Collective (one small broadcast). Returns false, on all ranks, while another save is running,
  /// which from now on writes as fast as it can: the caller reports that and tries again. Throws SnapshotError on all
  /// ranks when nothing can be written at all.
  bool start_save(Communicator& comm, std::int64_t step, const TrainerState& state, Bank* bank);

  /// To be called once per step. Collective while a save is running: one all_reduce of 8 bytes, and a gather of file
  /// names when all ranks have written; nothing at all otherwise. Reports the end of a save once, with kCommitted or
  /// kFailed.
  SaveReport poll(Communicator& comm);
  /// Collective. Waits for the end of the running save, if there is one, which from now on writes as fast as it can,
  /// and reports it.
  SaveReport finish(Communicator& comm);

  bool saving() const noexcept { return phase_ != Phase::kNone; }
  const std::filesystem::path& directory() const noexcept { return directory_; }

 private:
  enum class Phase { kNone, kWriting, kCommitting };

  /// On rank 0: the copy of the state, and the directory's name, or what went wrong after a mark.
  std::string prepare(SaveRequest& request, const TrainerState& state);
  void take(Bank& bank, int rank);
  std::string write_own_part();
  std::string commit_or_clean(const std::string& error, std::vector<ManifestFile> parts);
  void start_commit(Communicator& comm);
  SaveReport end(Communicator& comm);

  FileLayer& files_;
  std::filesystem::path run_directory_;
  std::filesystem::path directory_;
  SnapshotOptions options_;

  Phase phase_ = Phase::kNone;
  bool first_ = true;
  std::shared_ptr<SaveRequest> request_;
  std::shared_ptr<WriterPace> pace_;
  std::chrono::steady_clock::time_point started_;
  std::int64_t bytes_ = 0;
  /// Of the background thread: in the first phase JSON of the files written, or what went wrong after a mark; in the
  /// second what went wrong. Waits for the thread when destroyed.
  std::future<std::string> result_;
};

}  // namespace negatron

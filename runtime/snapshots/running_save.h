#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "runtime/snapshots/save_part.h"
#include "samplers/bank/bank.h"

namespace negatron {

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

/// What a rank wrote of a save, or why it did not.
struct PartOutcome {
  std::vector<ManifestFile> files;
  std::string error;
};

/// How rank 0's commit ended: with an error there is no snapshot, with a warning there is one all the same.
struct CommitOutcome {
  std::string error;
  std::string warning;
};

/// One save from its first byte to its end, as one rank sees it. It lives as long as the save. Its thread writes files
/// and never communicates; poll() does, and is called by the rank's own thread. What the thread uses does not move.
class RunningSave {
 public:
  /// Begins to write this rank's part: rank 0's of the trainer's state, and the rows of `banks` on the ranks of their
  /// first copy. Throws nothing that only this rank would throw: what goes wrong is this part's outcome.
  /// `files` and the banks outlive the save. Local.
  RunningSave(FileLayer& files, SaveJob job, const std::vector<NamedBank>& banks, int rank);
  /// Gives the save up if it is not over: its directory stays behind as a temporary one. Waits for at most one block
  /// and one fsync.
  ~RunningSave();
  RunningSave(const RunningSave&) = delete;
  RunningSave& operator=(const RunningSave&) = delete;

  /// From now on it writes as fast as it can. Local.
  void hurry() { job_.writing.pace->hurry(); }
  /// How it stands: kRunning, or once, at its end, kCommitted or kFailed. Collective: an all_reduce of 8 bytes, a
  /// gather of the names of files when all ranks have written, and a broadcast of the outcome at the end.
  SaveReport poll(Communicator& comm);

 private:
  void take(const NamedBank& named, int rank);
  PartOutcome write_own_part();
  /// On rank 0, when `error` says that a rank's part failed, or is empty: commits, or removes what was written.
  CommitOutcome commit_or_clean(const std::string& error, std::vector<ManifestFile> parts);
  void start_commit(Communicator& comm);
  SaveReport end(Communicator& comm);

  FileLayer& files_;
  SaveJob job_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  bool committing_ = false;
  std::int64_t bytes_ = 0;
  // Of the thread, which is waited for when they are destroyed: last, so that all that it uses is still there.
  std::future<PartOutcome> part_;
  /// On rank 0.
  std::future<CommitOutcome> commit_;
};

}  // namespace negatron

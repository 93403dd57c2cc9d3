#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "comm/communicator.h"
#include "runtime/snapshots/running_save.h"
#include "samplers/bank/bank.h"

namespace negatron {

struct SnapshotOptions {
  Retention retention;
  /// What one file being written takes in memory, about twice over for a bank. What fits the processor's cache is fast.
  std::int64_t block_bytes = std::int64_t{1} << 20;
  SavePointHook at_save_point;
};

/// Writes snapshots of a run behind its training. One per rank. A background thread of each rank writes and syncs files
/// and never communicates; the rank's own thread makes all collectives, inside the calls below, which all ranks make in
/// the same order. `comm` carries host tensors, and is the same for all calls of a save. `files` outlives the store.
class SnapshotStore {
 public:
  /// Snapshots go to run_directory/snapshots; the run directory exists. Throws std::invalid_argument when fewer than
  /// two are to be kept.
  SnapshotStore(FileLayer& files, std::filesystem::path run_directory, SnapshotOptions options);

  /// Begins to save what is now: tensors of `state` are copied at once (on rank 0, whose state it is), the rows of
  /// `banks` while training goes on. They must live until the save is over; ranks beyond their first
  /// copy write nothing. Collective (two small broadcasts). Returns false, on all ranks, while another save is running,
  /// which from now on writes as fast as it can: the caller reports that and tries again. Asks the disk nothing; throws
  /// SnapshotError on all ranks when there is no memory for the state.
  bool start_save(Communicator& comm, std::int64_t step, const TrainerState& state,
                  const std::vector<NamedBank>& banks);

  /// To be called once per step. Collective while a save is running: one all_reduce of 8 bytes, and a gather of file
  /// names when all ranks have written; nothing at all otherwise. Reports the end of a save once, with kCommitted or
  /// kFailed.
  SaveReport poll(Communicator& comm);
  /// Collective. Waits for the end of the running save, if there is one, which from now on writes as fast as it can,
  /// and reports it.
  SaveReport finish(Communicator& comm);

  bool saving() const noexcept { return save_ != nullptr; }
  const std::filesystem::path& directory() const noexcept { return directory_; }

 private:
  /// On rank 0: copies `state` into the job, and gives the directory that the save is written in a name.
  std::string prepare(SaveJob& job, const TrainerState& state);

  FileLayer& files_;
  std::filesystem::path run_directory_;
  std::filesystem::path directory_;
  SnapshotOptions options_;
  /// Null while nothing is being saved. A save that is still running when the store goes is given up.
  std::unique_ptr<RunningSave> save_;
};

}  // namespace negatron

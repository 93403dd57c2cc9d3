#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "runtime/data/normalization.h"
#include "runtime/run/data_identity.h"
#include "runtime/snapshots/find_snapshot.h"
#include "runtime/training/trainer.h"

namespace negatron {

/// What the run itself remembers beside its trainer: where in the data it is, and what it has measured once.
struct RunPosition {
  std::int64_t epoch = 0;
  /// The next batch of the epoch; steps_per_epoch when the epoch's batches are done and its evaluation is not.
  std::int64_t batch_in_epoch = 0;
  std::int64_t steps_per_epoch = 0;
  std::int64_t global_batch = 0;
  /// kNN accuracies of what the encoder is compared with, 0 to 1; NaN when not measured.
  double raw_pixels = std::numeric_limits<double>::quiet_NaN();
  double random_weights = std::numeric_limits<double>::quiet_NaN();
  /// What every view is normalised with, whatever the data are later.
  Normalization normalization;
  /// Of the images, and of every view.
  std::int64_t channels = 0;
  ImageSize view_size{};
  /// The flags say it: else it comes out of the snapshot, or was measured.
  bool normalization_is_given = false;
  /// Which samples the numbers of this run mean, and how many there are.
  DataIdentity data;
  std::int64_t samples = 0;
  /// [samples] int64, the order of this epoch where it was made of what the encoder knows (--batch-order similar); else
  /// undefined.
  at::Tensor order;
  /// The bank still waits for its first rows, those of --bank-fill features: the run was left before all were there.
  bool bank_waits = false;
};

/// Where a run goes on, and what of the snapshot does not mean the same there, a sentence each.
struct ResumedRun {
  RunPosition position;
  /// What the samples of the snapshot were, where they are not those of this run.
  std::optional<DataIdentity> other_images;
  std::vector<std::string> remarks;
};

/// What made a snapshot.
struct SnapshotOrigin {
  /// Every setting, as config.ini has it.
  std::string config;
  /// The program, in a line; snapshots of older versions have none.
  std::string version;
};

/// The trainer's state with the run's, to be saved. Local.
TrainerState run_state(const Trainer& trainer, const RunPosition& position, const SnapshotOrigin& origin);

/// What must hold of a saved run before anything of it is taken: counts that are none, or of another step than the
/// manifest's, numbers that no run has. Local. Throws SnapshotError.
void check_saved_run(const Manifest& manifest, const TrainerState& state);

/// The saved settings; empty when the snapshot has none. Local. Throws SnapshotError.
std::string saved_config(const Snapshot& snapshot);

/// What a state that run_state() made says of the inputs of its encoders.
struct SavedInputs {
  /// Nothing, and zeros, in snapshots of older versions.
  std::optional<Normalization> normalization;
  std::int64_t channels = 0;
  ImageSize view_size{};
  std::string config;
};
/// Throws SnapshotError in a sentence that begins with `name`. Local.
SavedInputs saved_inputs(const TrainerState& state, const std::string& name);

/// What the saved run normalises views with; nothing in snapshots of older versions. Collective. Throws SnapshotError
/// on all ranks, also when it does not fit images of `channels` channels.
std::optional<Normalization> saved_normalization(Communicator& comm, const Snapshot& snapshot, std::int64_t channels);

/// Puts trainer, its bank and the position to where the snapshot was made. `here` says steps per epoch and batch of
/// this run: with others than the saved ones the position is that of the same share of the epoch's data, rounded down
/// to a batch, and the schedules go on from there. With other data, accuracies that were measured once are dropped.
/// Rows of another floating type are taken with `convert_bank` only. Collective: every rank reads what it needs. Throws
/// SnapshotError on all ranks, naming both values and the flag.
ResumedRun resume_run(Communicator& comm, const Snapshot& snapshot, const RunPosition& here, bool convert_bank,
                      Trainer& trainer);

/// Gives the trainer's bank the rows of the snapshot, and nothing else: rows, ids and labels in their order, without
/// age, because no step of this run wrote them. Returns what of them does not mean the same with the data of `here`.
/// Collective; throws as resume_run.
std::vector<std::string> start_from_bank(Communicator& comm, const Snapshot& snapshot, const RunPosition& here,
                                         bool convert_bank, Trainer& trainer);

}  // namespace negatron

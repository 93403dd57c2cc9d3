#pragma once

#include <filesystem>
#include <iosfwd>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "runtime/metrics/progress_line.h"
#include "runtime/metrics/step_metrics.h"
#include "runtime/run/pretrain_data.h"
#include "runtime/run/run_signals.h"
#include "runtime/snapshots/find_snapshot.h"
#include "runtime/training/pretrain_options.h"
#include "runtime/training/trainer.h"

namespace negatron {

/// Where a run lives, what it starts from, and who may interrupt it.
struct PretrainJob {
  /// Exists; nobody else writes into it.
  std::filesystem::path run_directory;
  /// Every setting, as config.ini has it: goes into the snapshots.
  std::string config;
  /// The program that runs it, in a line: goes into the snapshots.
  std::string version;
  /// Carries host tensors: where snapshots are agreed on. Outlives the run.
  Communicator* host = nullptr;
  /// As `host`; waits as long as reading a snapshot takes. Null for `host` itself.
  Communicator* restoring = nullptr;
  /// Where snapshots are written. Outlives the run.
  FileLayer* files = nullptr;
  /// May be null.
  RunSignals* requests = nullptr;
  /// Of a scheduler, for the metrics.
  std::optional<StartMetrics> start{};
  /// Verified. Goes on from there.
  std::optional<Snapshot> resume;
  /// Verified; looked at without `resume`. Starts with its bank.
  std::optional<Snapshot> bank;
  /// Take rows of another floating type than the bank's.
  bool convert_bank = false;
  /// What is said before there is progress to show.
  std::ostream* out = nullptr;
  /// Where progress is shown, and all that is said from then on; empty for lines to `out`.
  std::vector<ProgressView> progress{};
};

enum class RunEnd {
  kDone,
  /// Saved, and to be started again with --resume auto.
  kRequeue,
  /// Saved as well, because SIGTERM said that the process is to end.
  kTerminated,
  /// Told to stop; nothing was saved for that.
  kStopped
};

/// kNN accuracies, 0 to 1; NaN when not measured.
struct PretrainSummary {
  double raw_pixels = std::numeric_limits<double>::quiet_NaN();
  double random_weights = std::numeric_limits<double>::quiet_NaN();
  double trained = std::numeric_limits<double>::quiet_NaN();
  RunEnd end = RunEnd::kDone;
  std::int64_t steps_done = 0;
  /// False when the last snapshot that was due could not be written.
  bool saved = true;
  /// Of rank 0: a sentence for each file of metrics that misses something.
  std::vector<std::string> missing{};
};

/// The whole run: evaluates raw pixels and random weights, trains all epochs, evaluates and saves on the way and at the
/// end; writes `metrics.jsonl` into the run directory and shows progress (rank 0 only). A run that resumes writes the
/// lines that it would have written without the interruption. Collective; all ranks return the same, but for `missing`.
/// `comm` carries tensors of `place.device`. Throws SnapshotError on all ranks when what it should start from does not
/// fit.
PretrainSummary pretrain(const PretrainOptions& options, const ContrastSetup& setup, const ComputePlace& place,
                         const PretrainData& data, Communicator& comm, const PretrainJob& job);

}  // namespace negatron

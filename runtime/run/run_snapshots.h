#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <vector>

#include "runtime/metrics/step_metrics.h"
#include "runtime/run/run_signals.h"
#include "runtime/run/snapshot_settings.h"
#include "runtime/snapshots/snapshot_store.h"
#include "runtime/training/step_wishes.h"

namespace negatron {

/// Asks the snapshot question, once, between two steps, and saves behind training. One per rank; all ranks give the
/// same answers.
class RunSnapshots {
 public:
  using Clock = std::function<std::chrono::steady_clock::time_point()>;
  using State = std::function<TrainerState()>;

  /// `requests` may be null. `comm` carries host tensors; it, files and requests outlive this. Local.
  RunSnapshots(Communicator& comm, FileLayer& files, const std::filesystem::path& run_directory,
               const SnapshotSettings& settings, RunSignals* requests, Clock clock = std::chrono::steady_clock::now);

  /// What this rank wishes, to be agreed on in the coming step: its signals, and rank 0's clock. Local.
  StepWishes wishes();
  /// After a step whose wishes were agreed on: begins a save if one is due, and looks after the one that runs. `step`
  /// is the number of steps done, `epochs_done` that of epochs when the step was the last of one, else -1. `state` is
  /// called on all ranks when a save begins. Returns what there is to tell. Collective.
  std::vector<SnapshotMetrics> after_step(const StepWishes& agreed, std::int64_t step, std::int64_t epochs_done,
                                          const State& state, const std::vector<NamedBank>& banks);
  /// Between two parts of an evaluation, during which no step carries wishes: agrees on those of all ranks, begins a
  /// save of the last step if one is wished for and there is none, and looks after the one that runs. `agreed` is what
  /// was agreed on. Collective.
  std::vector<SnapshotMetrics> outside_steps(StepWishes& agreed, std::int64_t step, const State& state,
                                             const std::vector<NamedBank>& banks);
  /// Whether any rank was told to leave by SIGTERM. Collective.
  bool any_terminated();
  /// Begins the snapshot of the end without waiting for it, unless the last one is of this step; `always` also when
  /// nothing but signals makes snapshots. Collective.
  std::vector<SnapshotMetrics> save_last(std::int64_t step, bool always, const State& state,
                                         const std::vector<NamedBank>& banks);
  /// Waits for the save that runs, if one does. Collective.
  std::vector<SnapshotMetrics> finish();
  /// Whether the last snapshot that was asked for is there. True without any.
  bool saved() const noexcept { return saved_; }
  /// `step` is that of a snapshot which is there already: this run began with it.
  void resumed_at(std::int64_t step) { last_started_ = step; }

 private:
  bool is_due(std::int64_t step, std::int64_t epochs_done) const;
  /// False while another one runs.
  bool start(std::int64_t step, const State& state, const std::vector<NamedBank>& banks,
             std::vector<SnapshotMetrics>& told);
  void tell(const SaveReport& report, std::vector<SnapshotMetrics>& told);

  Communicator& comm_;
  SnapshotStore store_;
  RunInterval interval_;
  bool leaves_;
  RunSignals* requests_;
  Clock clock_;
  std::chrono::steady_clock::time_point last_begin_;
  /// A save that was due and could not begin.
  bool waiting_ = false;
  std::int64_t last_started_ = -1;
  bool saved_ = true;
};

}  // namespace negatron

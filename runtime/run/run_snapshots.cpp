#include "runtime/run/run_snapshots.h"

#include "runtime/snapshots/snapshot_error.h"

namespace negatron {
namespace {

SnapshotOptions store_options(const SnapshotSettings& settings) {
  SnapshotOptions options;
  options.retention = {settings.keep, settings.keep_every};
  return options;
}

/// What any rank wishes. Collective.
StepWishes agreed_on(Communicator& comm, const StepWishes& own) {
  const at::Tensor wishes = at::tensor({own.snapshot ? 1 : 0, own.leave ? 1 : 0, own.stop ? 1 : 0}, at::kLong);
  comm.all_reduce(wishes, ReduceOp::kMax);
  const auto* any = wishes.const_data_ptr<std::int64_t>();
  return {any[0] != 0, any[1] != 0, any[2] != 0};
}

}  // namespace

RunSnapshots::RunSnapshots(Communicator& comm, FileLayer& files, const std::filesystem::path& run_directory,
                           const SnapshotSettings& settings, RunSignals* requests, Clock clock)
    : comm_(comm),
      store_(files, run_directory, store_options(settings)),
      interval_(settings.every),
      leaves_(settings.leaves_on_usr1),
      requests_(requests),
      clock_(std::move(clock)),
      last_begin_(clock_()) {}

StepWishes RunSnapshots::wishes() {
  StepWishes wishes;
  if (requests_ != nullptr) {
    wishes.stop = requests_->stop.load();
    wishes.leave = requests_->leave.load();
    if (leaves_) {
      // The wish to leave stays, the wish for a snapshot is taken once: after it the run goes on.
      wishes.leave = wishes.leave || requests_->snapshot.load();
    } else {
      wishes.snapshot = requests_->snapshot.exchange(false);
    }
  }
  // Clocks of ranks differ; rank 0's decides, and the agreement of the step carries its wish to the others.
  if (interval_.unit == RunInterval::Unit::kMinutes && comm_.rank() == 0) {
    wishes.snapshot = wishes.snapshot || clock_() - last_begin_ >= std::chrono::minutes(interval_.count);
  }
  return wishes;
}

bool RunSnapshots::is_due(std::int64_t step, std::int64_t epochs_done) const {
  switch (interval_.unit) {
    case RunInterval::Unit::kSteps:
      return step % interval_.count == 0;
    case RunInterval::Unit::kEpochs:
      return epochs_done > 0 && epochs_done % interval_.count == 0;
    case RunInterval::Unit::kMinutes:
    case RunInterval::Unit::kNever:
      return false;
  }
  return false;
}

std::vector<SnapshotMetrics> RunSnapshots::after_step(const StepWishes& agreed, std::int64_t step,
                                                      std::int64_t epochs_done, const State& state,
                                                      const std::vector<NamedBank>& banks) {
  std::vector<SnapshotMetrics> told;
  tell(store_.poll(comm_), told);
  // Whoever stops or leaves decides about the last save by itself.
  if (agreed.stop || agreed.leave) return told;
  const bool due = is_due(step, epochs_done) || agreed.snapshot;
  if (!due && !waiting_) return told;
  const bool begun = start(step, state, banks, told);
  if (!begun && due) {
    SnapshotMetrics late;
    late.step = step;
    late.outcome = SnapshotMetrics::Outcome::kLate;
    late.problem = "the one before is still being written; it begins when that is done";
    told.push_back(late);
  }
  waiting_ = !begun;
  return told;
}

std::vector<SnapshotMetrics> RunSnapshots::outside_steps(StepWishes& agreed, std::int64_t step, const State& state,
                                                         const std::vector<NamedBank>& banks) {
  agreed = agreed_on(comm_, wishes());
  std::vector<SnapshotMetrics> told;
  tell(store_.poll(comm_), told);
  if (agreed.stop || agreed.leave) return told;
  // A save that ended just now lets one begin that was late.
  const bool wanted = (agreed.snapshot || waiting_) && last_started_ != step;
  if (wanted) waiting_ = !start(step, state, banks, told);
  return told;
}

bool RunSnapshots::any_terminated() {
  const bool own = requests_ != nullptr && requests_->terminated.load();
  const at::Tensor any = at::full({1}, own ? 1 : 0, at::kLong);
  comm_.all_reduce(any, ReduceOp::kMax);
  return any.item<std::int64_t>() != 0;
}

std::vector<SnapshotMetrics> RunSnapshots::save_last(std::int64_t step, bool always, const State& state,
                                                     const std::vector<NamedBank>& banks) {
  std::vector<SnapshotMetrics> told;
  if (interval_.unit == RunInterval::Unit::kNever && !always) return told;
  if (last_started_ == step) return told;
  told = finish();
  start(step, state, banks, told);
  return told;
}

std::vector<SnapshotMetrics> RunSnapshots::finish() {
  std::vector<SnapshotMetrics> told;
  tell(store_.finish(comm_), told);
  return told;
}

bool RunSnapshots::start(std::int64_t step, const State& state, const std::vector<NamedBank>& banks,
                         std::vector<SnapshotMetrics>& told) {
  try {
    if (!store_.start_save(comm_, step, state(), banks)) return false;
    last_started_ = step;
  } catch (const SnapshotError& error) {
    SaveReport failed;
    failed.state = SaveState::kFailed;
    failed.step = step;
    failed.problem = error.what();
    tell(failed, told);
  }
  last_begin_ = clock_();
  return true;
}

void RunSnapshots::tell(const SaveReport& report, std::vector<SnapshotMetrics>& told) {
  if (report.state != SaveState::kCommitted && report.state != SaveState::kFailed) return;
  saved_ = report.state == SaveState::kCommitted;
  // One that failed may be tried again at the same step.
  if (!saved_) last_started_ = -1;
  SnapshotMetrics metrics;
  metrics.step = report.step;
  metrics.outcome = saved_ ? SnapshotMetrics::Outcome::kCommitted : SnapshotMetrics::Outcome::kFailed;
  metrics.seconds = report.seconds;
  metrics.bytes = report.bytes;
  metrics.path = report.path.string();
  metrics.problem = report.problem;
  told.push_back(metrics);
}

}  // namespace negatron

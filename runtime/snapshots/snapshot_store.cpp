#include "runtime/snapshots/snapshot_store.h"

#include <chrono>
#include <stdexcept>
#include <thread>
#include <utility>

#include "comm/together.h"
#include "runtime/snapshots/trainer_file.h"

namespace negatron {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kFewestKept = 2;
constexpr std::chrono::milliseconds kPollInterval{2};

}  // namespace

SnapshotStore::SnapshotStore(FileLayer& files, fs::path run_directory, SnapshotOptions options)
    : files_(files),
      run_directory_(std::move(run_directory)),
      directory_(run_directory_ / "snapshots"),
      options_(std::move(options)) {
  if (options_.retention.keep < kFewestKept) {
    throw std::invalid_argument("at least 2 snapshots must be kept: one may turn out to be damaged");
  }
  if (options_.retention.keep_every < 0 || options_.block_bytes < 1) {
    throw std::invalid_argument("keep_every must not be negative and block_bytes must be positive");
  }
}

bool SnapshotStore::start_save(Communicator& comm, std::int64_t step, const TrainerState& state,
                               const std::vector<NamedBank>& banks) {
  // All ranks come here or none: saving() is equal on all, because a save ends only after a collective that gave all of
  // them the same answer.
  if (saving()) {
    // The next one is due: resting would make it late.
    save_->hurry();
    return false;
  }
  SaveJob job;
  job.run_directory = run_directory_;
  job.directory = directory_;
  job.step = step;
  job.world_size = comm.size();
  job.retention = options_.retention;
  job.writing = {options_.block_bytes, options_.at_save_point, std::make_shared<WriterPace>()};
  // A throw on all ranks alike, with nothing begun: training goes on and the next save may be tried.
  job.temporary =
      directory_ / failing_as<SnapshotError>([&] { return on_rank_0(comm, [&] { return prepare(job, state); }); });
  save_ = std::make_unique<RunningSave>(files_, std::move(job), banks, comm.rank());
  return true;
}

SaveReport SnapshotStore::poll(Communicator& comm) {
  if (!saving()) return {};
  SaveReport report = save_->poll(comm);
  if (report.state == SaveState::kRunning) return report;
  save_.reset();
  return report;
}

SaveReport SnapshotStore::finish(Communicator& comm) {
  if (saving()) save_->hurry();
  SaveReport report = poll(comm);
  // The number of turns is the same on every rank, because every rank gets the same state from a poll.
  while (report.state == SaveState::kRunning) {
    std::this_thread::sleep_for(kPollInterval);
    report = poll(comm);
  }
  return report;
}

std::string SnapshotStore::prepare(SaveJob& job, const TrainerState& state) {
  // The state is copied before training may take its next step; it is small beside the bank. That it is rank 0's alone
  // is enough: it is replicated.
  job.trainer = host_copy(state);
  // Nothing that asks the disk: the threads that write make the directory. A name nobody else makes, so what an earlier
  // save left behind is never written into.
  return temporary_name(job.step);
}

}  // namespace negatron

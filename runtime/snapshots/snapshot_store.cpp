#include "runtime/snapshots/snapshot_store.h"

#include <sys/resource.h>

#include <cerrno>
#include <stdexcept>
#include <thread>

#include "comm/rank_texts.h"
#include "runtime/snapshots/trainer_file.h"

namespace negatron {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kFewestKept = 2;
constexpr std::chrono::milliseconds kPollInterval{2};
/// Begins a text that says what went wrong.
constexpr char kErrorMark = '!';
/// Ends what went wrong with a snapshot that is committed all the same.
constexpr std::string_view kPruneMark = "?";

/// Steps that keep all cores busy lose a few hundredths of them to the writing thread, and more to what the kernel does
/// for it; a core that idles writes at full speed.
constexpr int kNicer = 15;

/// Of the calling thread only: on Linux priorities are those of threads.
void yield_to_training() {
  errno = 0;
  const int now = ::getpriority(PRIO_PROCESS, 0);
  // A system that refuses writes snapshots at the priority of training, no worse than that.
  if (errno == 0) ::setpriority(PRIO_PROCESS, 0, now + kNicer);
}

std::string what_went_wrong() {
  try {
    throw;
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "an unknown failure";
  }
}

/// No memory or no thread is a failed save, which the other ranks must hear of, and not a throw on one rank.
template <typename Start>
std::future<std::string> started_or_failed(const Start& start) {
  try {
    return start();
  } catch (...) {
    std::promise<std::string> failed;
    failed.set_value(kErrorMark + what_went_wrong());
    return failed.get_future();
  }
}

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

SnapshotStore::~SnapshotStore() {
  // The thread stops at its next block. `result_` is the last member and so the first to be destroyed, which waits for
  // the thread while all that it uses is still there.
  if (pace_) pace_->give_up();
}

bool SnapshotStore::start_save(Communicator& comm, std::int64_t step, const TrainerState& state, Bank* bank) {
  if (saving()) {
    // The next one is due: resting would make it late.
    pace_->hurry();
    return false;
  }
  auto request = std::make_shared<SaveRequest>();
  // All ranks come here or none: saving() is equal on all, because phases change only after a collective that gave all
  // of them the same answer.
  request->run_directory = run_directory_;
  request->directory = directory_;
  request->step = step;
  request->world_size = comm.size();
  request->retention = options_.retention;
  request->sync_run_directory = first_;
  pace_ = std::make_shared<WriterPace>();
  request->writing = {options_.block_bytes, options_.at_save_point, pace_};

  std::string answer = comm.rank() == 0 ? prepare(*request, state) : std::string();
  answer = text_of_rank_0(comm, answer);
  // A throw on all ranks alike. The phase is still kNone, so training goes on and the next save may be tried.
  if (answer.starts_with(kErrorMark)) throw SnapshotError(answer.substr(1));
  request->temporary = directory_ / answer;

  request_ = std::move(request);
  started_ = std::chrono::steady_clock::now();
  // From here on nothing may throw on one rank alone: the others would wait for it in the all_reduce of poll.
  phase_ = Phase::kWriting;
  result_ = started_or_failed([&] {
    if (bank != nullptr) take(*bank, comm.rank());
    return std::async(std::launch::async, [this] { return write_own_part(); });
  });
  return true;
}

SaveReport SnapshotStore::poll(Communicator& comm) {
  if (!saving()) return {};
  const bool ready = !result_.valid() || result_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  // This rank's rows are on the disk, or never will be: its bank need not set anything aside any more.
  if (ready && phase_ == Phase::kWriting) request_->copy.reset();
  // The slowest rank decides. While committing only rank 0 has a thread; the others have no valid `result_` and are
  // ready at once. The answer is the same everywhere, so all ranks make the collectives of the next phase in one and
  // the same poll, however their threads are timed.
  // Example: 3 ranks, whose threads end at steps 10, 12 and 11. The polls of steps 10 and 11 reduce to 0, that of step
  // 12 to 1: all gather texts at step 12, and rank 0 begins to commit.
  const at::Tensor all_ready = at::full({1}, ready ? 1 : 0, at::kLong);
  comm.all_reduce(all_ready, ReduceOp::kMin);
  if (all_ready.item<std::int64_t>() != 0) {
    if (phase_ == Phase::kCommitting) return end(comm);
    start_commit(comm);
  }
  SaveReport report;
  report.state = SaveState::kRunning;
  report.step = request_->step;
  return report;
}

SaveReport SnapshotStore::finish(Communicator& comm) {
  if (pace_) pace_->hurry();
  SaveReport report = poll(comm);
  // The number of turns is the same on every rank, because every rank gets the same state from a poll.
  while (report.state == SaveState::kRunning) {
    std::this_thread::sleep_for(kPollInterval);
    report = poll(comm);
  }
  return report;
}

// Copies no rows: the copy reads the bank's own tensors block by block, and the bank puts rows aside that it overwrites
// before their turn. So a save takes memory for one block and for what training overtakes.
void SnapshotStore::take(Bank& bank, int rank) {
  const int shards = bank.layout().ranks();
  request_->bank = SavedBank{bank.layout().state(), shards, bank.width(), bank.options().dtype};
  request_->shard = bank.rank();
  // With several copies of the bank the first ranks hold the first.
  if (rank < shards) request_->copy = bank.start_copy();
}

std::string SnapshotStore::prepare(SaveRequest& request, const TrainerState& state) {
  try {
    // The state is copied before training may take its next step; it is small beside the bank. That it is rank 0's
    // alone is enough: it is replicated.
    request.trainer = host_copy(state);
    if (!files_.exists(directory_)) files_.make_directory(directory_);
    const std::string name = temporary_name(request.step);
    // Made before its name is broadcast: when another rank learns where to create its file, the directory is there. A
    // name nobody else makes, so what an earlier save left behind is never written into.
    files_.make_directory(directory_ / name);
    return name;
  } catch (...) {
    return kErrorMark + what_went_wrong();
  }
}

std::string SnapshotStore::write_own_part() {
  try {
    yield_to_training();
    return files_text(write_part(files_, *request_));
  } catch (...) {
    return kErrorMark + what_went_wrong();
  }
}

// Collective, from poll. A rank's text begins with the error mark or is the list of its files. Example: 2 ranks, and
// the disk of the second is full. Rank 0 gathers a list and "!Could not write '...': No space left on device."; the
// user sees "The snapshot of step 300 could not be written. Rank 1: Could not write ...".
void SnapshotStore::start_commit(Communicator& comm) {
  const std::string own = result_.get();
  std::vector<ManifestFile> parts;
  std::string error;
  const std::vector<std::string> all = gather_texts(comm, own);
  for (std::size_t rank = 0; rank < all.size(); ++rank) {
    if (all[rank].starts_with(kErrorMark)) {
      error += (error.empty() ? "Rank " : " Rank ") + std::to_string(rank) + ": " + all[rank].substr(1);
    } else {
      for (ManifestFile& file : parse_files(all[rank])) parts.push_back(std::move(file));
    }
  }
  bytes_ = 0;
  for (const ManifestFile& file : parts) bytes_ += file.digest.bytes;
  phase_ = Phase::kCommitting;
  // get() left the other ranks' futures without a state, which poll takes for being ready.
  if (comm.rank() != 0) return;
  result_ = started_or_failed(
      [&] { return std::async(std::launch::async, [this, error, parts] { return commit_or_clean(error, parts); }); });
}

std::string SnapshotStore::commit_or_clean(const std::string& error, std::vector<ManifestFile> parts) {
  std::string problem = error;
  yield_to_training();
  if (problem.empty()) {
    try {
      commit_parts(files_, *request_, std::move(parts));
    } catch (...) {
      problem = what_went_wrong();
    }
  }
  if (!problem.empty()) {
    try {
      // Nobody writes there any more: that all ranks' texts were gathered means that all their threads have ended.
      if (files_.exists(request_->temporary)) remove_flat_directory(files_, request_->temporary);
    } catch (...) {
      problem += " Its files are still there: " + what_went_wrong();
    }
    return kErrorMark + problem;
  }
  try {
    // Only now that the new one is durable. A failure here costs disk space and no snapshot, so the save counts as
    // committed and the problem is reported beside it.
    prune_snapshots(files_, directory_, request_->retention, request_->writing);
  } catch (...) {
    return std::string(kPruneMark) + "Old snapshots could not be removed. " + what_went_wrong();
  }
  return {};
}

SaveReport SnapshotStore::end(Communicator& comm) {
  // What rank 0 says is the outcome of all: state, path and problem follow from this text, and `first_` with them.
  const std::string outcome = text_of_rank_0(comm, comm.rank() == 0 ? result_.get() : std::string());
  SaveReport report;
  report.step = request_->step;
  report.bytes = bytes_;
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
  if (outcome.starts_with(kErrorMark)) {
    report.state = SaveState::kFailed;
    report.problem =
        "The snapshot of step " + std::to_string(report.step) + " could not be written. " + outcome.substr(1);
  } else {
    report.state = SaveState::kCommitted;
    report.path = directory_ / step_name(report.step);
    if (!outcome.empty()) report.problem = outcome.substr(kPruneMark.size());
    first_ = false;
  }
  request_.reset();
  pace_.reset();
  phase_ = Phase::kNone;
  return report;
}

}  // namespace negatron

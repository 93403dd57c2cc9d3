#include "runtime/snapshots/running_save.h"

#include <sys/resource.h>

#include <cerrno>
#include <utility>

#include <nlohmann/json.hpp>

#include "comm/rank_texts.h"
#include "runtime/text/json_text.h"

namespace negatron {
namespace {

/// Begins a text that says what went wrong, where ranks tell each other of their parts.
constexpr char kErrorMark = '!';

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

/// Of the exception that is being handled.
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
template <typename Outcome, typename Start>
std::future<Outcome> started_or_failed(const Start& start) {
  try {
    return start();
  } catch (...) {
    Outcome outcome;
    outcome.error = what_went_wrong();
    std::promise<Outcome> failed;
    failed.set_value(std::move(outcome));
    return failed.get_future();
  }
}

bool is_ready(const auto& future) {
  return future.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

std::string text_of(const CommitOutcome& outcome) {
  return json_text(nlohmann::json{{"error", outcome.error}, {"warning", outcome.warning}});
}

CommitOutcome commit_outcome_of(const std::string& text) {
  const auto json = nlohmann::json::parse(text);
  return {json.at("error"), json.at("warning")};
}

}  // namespace

RunningSave::RunningSave(FileLayer& files, SaveJob job, const std::vector<NamedBank>& banks, int rank)
    : files_(files), job_(std::move(job)) {
  // From here on nothing may throw on one rank alone: the others would wait for it in the all_reduce of poll.
  part_ = started_or_failed<PartOutcome>([&] {
    for (const NamedBank& bank : banks) take(bank, rank);
    return std::async(std::launch::async, [this] { return write_own_part(); });
  });
}

RunningSave::~RunningSave() {
  // The thread stops at its next block. The futures are the last members and so the first to be destroyed, which waits
  // for the thread while all that it uses is still there.
  job_.writing.pace->give_up();
}

// Copies no rows: the copy reads the bank's own tensors block by block, and the bank puts rows aside that it overwrites
// before their turn. So a save takes memory for one block and for what training overtakes: of a learned bank, for the
// whole shard once more.
void RunningSave::take(const NamedBank& named, int rank) {
  Bank& bank = *named.bank;
  job_.banks.push_back(describe(named));
  job_.shard = bank.rank();
  // With several copies of the bank the first ranks hold the first.
  if (rank < bank.layout().ranks()) job_.copies.push_back(bank.start_copy());
}

PartOutcome RunningSave::write_own_part() {
  try {
    yield_to_training();
    return {write_part(files_, job_), {}};
  } catch (...) {
    return {{}, what_went_wrong()};
  }
}

SaveReport RunningSave::poll(Communicator& comm) {
  // While committing only rank 0 has a thread; the others are ready at once.
  const bool ready = committing_ ? !commit_.valid() || is_ready(commit_) : is_ready(part_);
  // This rank's rows are on the disk, or never will be: its banks need not set anything aside any more.
  if (ready && !committing_) job_.copies.clear();
  // The slowest rank decides. The answer is the same everywhere, so all ranks make the collectives of the next phase in
  // one and the same poll, however their threads are timed.
  // Example: 3 ranks, whose threads end at steps 10, 12 and 11. The polls of steps 10 and 11 reduce to 0, that of step
  // 12 to 1: all gather texts at step 12, and rank 0 begins to commit.
  const at::Tensor all_ready = at::full({1}, ready ? 1 : 0, at::kLong);
  comm.all_reduce(all_ready, ReduceOp::kMin);
  if (all_ready.item<std::int64_t>() != 0) {
    if (committing_) return end(comm);
    start_commit(comm);
  }
  SaveReport report;
  report.state = SaveState::kRunning;
  report.step = job_.step;
  return report;
}

// Collective, from poll. Between ranks a part is a text: the list of its files, or the error behind a mark. Example: 2
// ranks, and the disk of the second is full. All gather a list and "!Could not write '...': No space left on device.";
// the user sees "The snapshot of step 300 could not be written. Rank 1: Could not write ...".
void RunningSave::start_commit(Communicator& comm) {
  const PartOutcome own = part_.get();
  std::vector<ManifestFile> parts;
  std::string error;
  const std::vector<std::string> all =
      gather_texts(comm, own.error.empty() ? files_text(own.files) : kErrorMark + own.error);
  for (std::size_t rank = 0; rank < all.size(); ++rank) {
    if (all[rank].starts_with(kErrorMark)) {
      error += (error.empty() ? "Rank " : " Rank ") + std::to_string(rank) + ": " + all[rank].substr(1);
    } else {
      for (ManifestFile& file : parse_files(all[rank])) parts.push_back(std::move(file));
    }
  }
  for (const ManifestFile& file : parts) bytes_ += file.digest.bytes;
  committing_ = true;
  if (comm.rank() != 0) return;
  commit_ = started_or_failed<CommitOutcome>(
      [&] { return std::async(std::launch::async, [this, error, parts] { return commit_or_clean(error, parts); }); });
}

CommitOutcome RunningSave::commit_or_clean(const std::string& error, std::vector<ManifestFile> parts) {
  CommitOutcome outcome{error, {}};
  yield_to_training();
  if (outcome.error.empty()) {
    try {
      commit_parts(files_, job_, std::move(parts));
    } catch (...) {
      outcome.error = what_went_wrong();
    }
  }
  if (!outcome.error.empty()) {
    try {
      // Nobody writes there any more: that all ranks' texts were gathered means that all their threads have ended.
      if (files_.exists(job_.temporary)) remove_snapshot_files(files_, job_.temporary);
    } catch (...) {
      outcome.error += " Its files are still there: " + what_went_wrong();
    }
    return outcome;
  }
  try {
    // Only now that the new one is durable. A failure here costs disk space and no snapshot, so the save counts as
    // committed and the problem is reported beside it.
    outcome.warning = prune_snapshots(files_, job_.directory, job_.retention, job_.writing);
  } catch (...) {
    outcome.warning = "old snapshots could not be removed. " + what_went_wrong();
  }
  return outcome;
}

SaveReport RunningSave::end(Communicator& comm) {
  // What rank 0 says is the outcome of all: state, path and problem follow from it.
  const CommitOutcome outcome =
      commit_outcome_of(text_of_rank_0(comm, comm.rank() == 0 ? text_of(commit_.get()) : std::string()));
  SaveReport report;
  report.step = job_.step;
  report.bytes = bytes_;
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
  if (!outcome.error.empty()) {
    report.state = SaveState::kFailed;
    report.problem = "The snapshot of step " + std::to_string(report.step) + " could not be written. " + outcome.error;
  } else {
    report.state = SaveState::kCommitted;
    report.path = job_.directory / step_name(report.step);
    report.problem = outcome.warning;
  }
  return report;
}

}  // namespace negatron

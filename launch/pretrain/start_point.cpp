#include "launch/pretrain/start_point.h"

#include <iostream>

#include "comm/rank_texts.h"
#include "comm/together.h"
#include "launch/exit_code.h"
#include "launch/pretrain/run_directory.h"
#include "launch/pretrain/settings_difference.h"
#include "launch/pretrain/shared_directory.h"
#include "launch/slurm/slurm_job.h"
#include "runtime/run/fitting_bank.h"
#include "runtime/run/resume.h"
#include "runtime/snapshots/named_snapshot.h"
#include "runtime/snapshots/snapshot_directory.h"
#include "runtime/snapshots/snapshot_error.h"
#include "runtime/training/bank_setup.h"
#include "runtime/training/contrast_setup.h"
#include "runtime/training/view_banks.h"

namespace negatron {
namespace {

namespace fs = std::filesystem;

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

/// The run directory that a snapshot lies in.
fs::path run_of(const fs::path& snapshot) {
  return fs::weakly_canonical(snapshot).parent_path().parent_path();
}

class Start {
 public:
  Start(Communicator& comm, FileLayer& files, const PretrainArguments& request, const FlagTable& flags,
        const std::string& config_ini)
      : comm_(comm), files_(files), request_(request), flags_(flags), config_ini_(config_ini) {
    find_.shards = static_cast<int>(request.options.shards);
    find_.check_state = check_saved_run;
  }

  /// All that can be refused while nothing is made yet.
  void prepare() {
    if (request_.resume == kResumeNewest && request_.run_directory.empty()) {
      throw UsageError("--resume auto needs --run-dir: which run is to go on?");
    }
    if (is_path()) named_ = open_named(request_.resume, find_);
    // One that is made for this run, at the end of the questions, holds nothing.
    const bool is_named = !request_.run_directory.empty();
    start_.run_directory = request_.run_directory;
    // Each question about the file system is rank 0's and its answer everyone's: file systems of hosts may lag behind
    // each other, and ranks that branch differently would wait in different collectives.
    holds_ = is_named && holds_run(comm_, start_.run_directory);
    sets_back_ = is_named && is_path() && same_run();
    if (holds_ && request_.resume != kResumeNewest && !sets_back_) {
      throw UsageError("--run-dir: '" + start_.run_directory.string() +
                       "' already holds a run; --resume auto goes on with it, or choose another directory.");
    }
    if (named_) accept(std::move(*named_));
    if (!holds_) open_bank();
  }

  const std::vector<std::string>& remarks() const { return start_.remarks; }

  StartPoint find() {
    prepare();
    if (request_.run_directory.empty()) {
      start_.run_directory = make_dated_directory(comm_, "pretrain");
    } else {
      make_run_directory(comm_, start_.run_directory);
    }
    require_shared_directory(comm_, files_, start_.run_directory);
    lock();
    if (request_.resume == kResumeNewest) find_newest();
    if (sets_back_) set_newer_aside();
    if (holds_) open_bank();
    const std::int64_t steps_done = start_.resume ? start_.resume->manifest.step : 0;
    const std::string remark = write_config(comm_, files_, start_.run_directory, config_ini_, steps_done);
    if (!remark.empty()) start_.remarks.push_back(remark);
    return std::move(start_);
  }

 private:
  bool is_path() const { return request_.resume != kResumeNewest && request_.resume != kResumeNever; }

  /// A snapshot, or the newest one of a run directory.
  Snapshot open_named(const std::string& path, const FindOptions& find) {
    NamedSnapshot named = open_named_snapshot(comm_, files_, path, find);
    for (std::string& note : named.notes) start_.remarks.push_back(std::move(note));
    return std::move(named.snapshot);
  }

  /// As rank 0 sees it.
  bool same_run() {
    return on_rank_0(comm_, [this] {
             return run_of(named_->path) == fs::weakly_canonical(start_.run_directory) ? "same" : "another";
           }) == "same";
  }

  void lock() {
    LeaseOptions options;
    options.tell = [](const std::string& sentence) { std::cerr << ("negatron: note: " + sentence + "\n"); };
    start_.lock = std::make_unique<DirectoryLock>(comm_, start_.run_directory, this_owner(slurm_job().start), options);
    if (!start_.lock->took_over().empty()) start_.remarks.push_back(start_.lock->took_over());
  }

  void find_newest() {
    FoundSnapshot found = find_newest_snapshot(comm_, files_, start_.run_directory, find_);
    for (const std::string& sentence : found.quarantined) start_.remarks.push_back(sentence);
    if (found.snapshot) {
      accept(std::move(*found.snapshot));
    } else if (!found.damaged.empty()) {
      const std::string snapshots = "'" + (start_.run_directory / "snapshots").string() + "'";
      throw UsageError("--resume auto: no snapshot in " + snapshots + " verifies, and nothing was changed: " +
                       joined(found.damaged) + " --resume with the path of a whole snapshot goes on from that one, " +
                       "another --run-dir begins a new run, and once " + snapshots +
                       " is moved away the run begins anew in this one.");
    } else {
      start_.remarks.push_back("--resume auto: '" + start_.run_directory.string() +
                               "' holds no snapshot; the run starts from its first step.");
    }
  }

  /// Refuses a snapshot of another network; says what else differs.
  void accept(Snapshot snapshot) {
    if (!snapshot.manifest.has(kTrainerName)) {
      throw UsageError("--resume: '" + snapshot.path.string() + "' is a bank alone; --bank starts a new run from it.");
    }
    std::string saved;
    together(comm_, [&] { saved = saved_config(snapshot); });
    const std::string name = "'" + snapshot.path.string() + "'";
    SettingsDifference difference = compare_settings(saved, config_ini_, flags_);
    if (!difference.refused.empty()) {
      throw UsageError("--resume: " + name + " was saved with other settings: " + joined(difference.refused) + ".");
    }
    const int ranks = snapshot.manifest.world_size;
    if (ranks != comm_.size()) {
      difference.changed.insert(difference.changed.begin(),
                                "ranks " + std::to_string(ranks) + " -> " + std::to_string(comm_.size()));
    }
    if (!difference.changed.empty()) {
      start_.remarks.push_back("this run differs from " + name + ": " + joined(difference.changed) + ".");
    }
    require_bank_of(snapshot, /*goes_on=*/true);
    start_.resume = std::move(snapshot);
  }

  /// Rank 0 and all others look at the same manifest.
  void require_bank_of(const Snapshot& snapshot, bool goes_on) {
    WantedBanks wanted;
    wanted.options = bank_options(request_.options, {at::kCPU, *request_.options.precision});
    if (resolve_contrast(request_.options).has_bank()) wanted.names = bank_names(request_.options);
    require_banks(snapshot, wanted, request_.convert_bank);
    if (goes_on) require_row_optimizer(snapshot, wanted);
  }

  void open_bank() {
    if (request_.bank.empty() || start_.resume || start_.bank) return;
    FindOptions find = find_;
    // Of a snapshot whose run nobody goes on with, only the bank matters.
    find.check_state = {};
    Snapshot snapshot = open_named(request_.bank, find);
    require_bank_of(snapshot, /*goes_on=*/false);
    start_.bank = std::move(snapshot);
  }

  /// The names that later snapshots have now, between commas. Rank 0's alone.
  std::string move_newer_aside() {
    const std::string reason = "The run was set back to step " + std::to_string(start_.resume->manifest.step) + ".";
    std::string names;
    for (const SnapshotEntry& entry : list_snapshots(files_, start_.run_directory / "snapshots")) {
      if (entry.step <= start_.resume->manifest.step) continue;
      names += (names.empty() ? "" : ", ") + quarantine_snapshot(files_, entry.path, reason).filename().string();
    }
    return names;
  }

  /// A run that goes back to an older snapshot writes the later ones again.
  void set_newer_aside() {
    const std::string report =
        failing_as<SnapshotError>([this] { return on_rank_0(comm_, [this] { return move_newer_aside(); }); });
    if (!report.empty()) start_.remarks.push_back("set back; later snapshots are set aside: " + report + ".");
  }

  Communicator& comm_;
  FileLayer& files_;
  const PretrainArguments& request_;
  const FlagTable& flags_;
  const std::string& config_ini_;
  FindOptions find_;
  StartPoint start_;
  /// What --resume names by its path.
  std::optional<Snapshot> named_;
  /// The run directory holds a run.
  bool holds_ = false;
  /// It is the run that --resume names.
  bool sets_back_ = false;
};

/// All ranks hold the same sentence.
template <typename Look>
auto refusing(const Look& look) {
  try {
    return look();
  } catch (const SnapshotError& error) {
    throw UsageError(error.what());
  }
}

}  // namespace

StartPoint find_start(Communicator& comm, FileLayer& files, const PretrainArguments& request, const FlagTable& flags,
                      const std::string& config_ini) {
  return refusing([&] { return Start(comm, files, request, flags, config_ini).find(); });
}

std::vector<std::string> check_start(Communicator& comm, FileLayer& files, const PretrainArguments& request,
                                     const FlagTable& flags, const std::string& config_ini) {
  return refusing([&] {
    Start start(comm, files, request, flags, config_ini);
    start.prepare();
    return start.remarks();
  });
}

}  // namespace negatron

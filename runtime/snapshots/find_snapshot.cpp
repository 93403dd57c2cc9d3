#include "runtime/snapshots/find_snapshot.h"

#include <algorithm>
#include <thread>

#include "runtime/snapshots/bank_reader.h"
#include "runtime/snapshots/rank_texts.h"
#include "runtime/snapshots/snapshot_directory.h"

namespace negatron {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kLookInterval{20};

/// Ascending: the gravest of any rank is that of all.
enum class Verdict : std::int64_t { kGood, kAbsent, kUnreadable, kDamaged, kNewerFormat };

/// What one rank, or all of them, think of one snapshot.
struct Judgement {
  Verdict verdict = Verdict::kGood;
  std::string reason;
  Manifest manifest;
};

template <typename Look>
Judgement judge(const Look& look) {
  Judgement judgement;
  try {
    judgement.manifest = look();
  } catch (const NewerFormatError& error) {
    judgement.verdict = Verdict::kNewerFormat;
    judgement.reason = error.what();
  } catch (const FileError& error) {
    judgement.verdict = error.is_absent()         ? Verdict::kAbsent
                        : error.tells_of_damage() ? Verdict::kDamaged
                                                  : Verdict::kUnreadable;
    judgement.reason = error.what();
  } catch (const SnapshotError& error) {
    judgement.verdict = Verdict::kDamaged;
    judgement.reason = error.what();
  } catch (const std::exception& error) {
    // No memory, say: nothing that the snapshot is to blame for.
    judgement.verdict = Verdict::kUnreadable;
    judgement.reason = error.what();
  }
  return judgement;
}

/// What rank 0 sees at a glance: the manifest, and files of the right sizes.
Manifest glance(const FileLayer& files, const fs::path& path) {
  Manifest manifest = read_manifest(files, path);
  for (const ManifestFile& file : manifest.files) {
    const std::int64_t bytes = files.open(path / file.name)->size();
    check_digest(path / file.name, {bytes, file.digest.xxh3_128}, file.digest);
  }
  // A directory copied or renamed by hand must not pass for another step.
  const std::optional<std::int64_t> step = step_of(path.filename().string());
  if (step && *step != manifest.step) {
    throw SnapshotError("'" + path.string() + "' holds the snapshot of step " + std::to_string(manifest.step) + ".");
  }
  return manifest;
}

/// The names of the files that a rank reads when the snapshot is restored. Rank 0 looks after bank.h5, which nobody
/// reads.
std::vector<std::string> files_for(const Manifest& manifest, const fs::path& path, int rank, int shards,
                                   const FindOptions& options) {
  std::vector<std::string> names;
  if (manifest.has(kTrainerName)) names.emplace_back(kTrainerName);
  if (!manifest.bank) return names;
  if (rank == 0) names.emplace_back(kVirtualBankName);
  const BankReader reader(path, *manifest.bank, options.block_bytes);
  for (const int shard : reader.shards_for(rank % shards, shards)) {
    names.push_back(bank_file_name(shard, manifest.bank->shards));
  }
  return names;
}

/// Tries again while something is missing that rank 0 sees.
Judgement verify_own(const FileLayer& files, const fs::path& path, int rank, int shards, const FindOptions& options) {
  const auto deadline = std::chrono::steady_clock::now() + options.visibility_wait;
  for (;;) {
    Judgement judgement = judge([&] {
      Manifest manifest = read_manifest(files, path);
      for (const std::string& name : files_for(manifest, path, rank, shards, options)) {
        check_digest(path / name, digest_of_file(files, path / name, options.block_bytes), manifest.file(name).digest);
      }
      return manifest;
    });
    if (judgement.verdict != Verdict::kAbsent || std::chrono::steady_clock::now() >= deadline) return judgement;
    std::this_thread::sleep_for(kLookInterval);
  }
}

/// Collective: one judgement for all.
Judgement judge_together(Communicator& comm, const FileLayer& files, const fs::path& path, const FindOptions& options) {
  const int shards = options.shards > 0 ? options.shards : comm.size();
  Judgement own;
  if (comm.rank() == 0) {
    own = judge([&] { return glance(files, path); });
    // What rank 0 does not find is not late but gone.
    if (own.verdict == Verdict::kAbsent) own.verdict = Verdict::kDamaged;
  }
  // Looking at sizes costs rank 0 little. What is plainly broken is settled here, before P ranks read gigabytes of it.
  const at::Tensor first = at::full({1}, static_cast<std::int64_t>(own.verdict), at::kLong);
  comm.broadcast(first, 0);
  if (first.item<std::int64_t>() == static_cast<std::int64_t>(Verdict::kGood)) {
    own = verify_own(files, path, comm.rank(), shards, options);
  }
  Judgement all = own;
  all.reason = joined_errors(comm, own.reason);
  // Also the ranks that found nothing wrong come here, and those that skipped the verification: all make the same
  // calls.
  const at::Tensor worst = at::full({1}, static_cast<std::int64_t>(own.verdict), at::kLong);
  comm.all_reduce(worst, ReduceOp::kMax);
  all.verdict =
      std::max(static_cast<Verdict>(worst.item<std::int64_t>()), static_cast<Verdict>(first.item<std::int64_t>()));
  if (all.verdict != Verdict::kGood) return all;
  // Each rank has read a manifest that is whole; they must be one.
  // Two file systems under the same path may each hold a good snapshot of this step, from different runs: every digest
  // would agree with its own manifest, and ranks would go on from different weights.
  const std::string text = manifest_text(own.manifest);
  if (text_of_rank_0(comm, digest_of(text)) != digest_of(text)) all.reason = "it is not the snapshot that rank 0 sees";
  all.reason = joined_errors(comm, all.reason);
  if (!all.reason.empty()) all.verdict = Verdict::kAbsent;
  return all;
}

}  // namespace

// The search goes from the newest snapshot to older ones, and every rank takes the same turn of the loop: rank 0 alone
// lists the directory and sends one name at a time, an empty one at the end, and the verdict is the gravest of all
// ranks. Only damage leads on to an older snapshot, because it alone makes this one worthless. All other verdicts stop
// the run: going back silently would lose steps to a mount that is late or a program that is old.
//
// Example: steps 300, 200 and 100 lie there, 2 ranks.
//   rank 1's file of 300 has a wrong digest     300 goes into quarantine, 200 is judged
//   rank 1 may not read its file (EACCES)       error: 300 may be good, and nothing is renamed
//   rank 1 does not see 300, rank 0 does        error once the wait is over: the ranks look at different file systems
//   300 was written in a newer format           error: a newer program can restore it
FoundSnapshot find_newest_snapshot(Communicator& comm, FileLayer& files, const fs::path& run_directory,
                                   const FindOptions& options) {
  const fs::path directory = run_directory / "snapshots";
  FoundSnapshot found;
  std::vector<SnapshotEntry> candidates;
  std::string problem;
  if (comm.rank() == 0) {
    try {
      candidates = list_snapshots(files, directory);
    } catch (const SnapshotError& error) {
      problem = error.what();
    }
  }
  problem = text_of_rank_0(comm, problem);
  if (!problem.empty()) throw SnapshotError(problem);
  for (std::size_t next = 0;; ++next) {
    const std::string name =
        text_of_rank_0(comm, next < candidates.size() ? candidates[next].path.filename().string() : std::string());
    if (name.empty()) return found;
    const fs::path path = directory / name;
    Judgement judgement = judge_together(comm, files, path, options);
    if (judgement.verdict == Verdict::kGood) {
      found.snapshot = Snapshot{path, std::move(judgement.manifest)};
      return found;
    }
    if (judgement.verdict == Verdict::kNewerFormat) throw NewerFormatError(judgement.reason);
    if (judgement.verdict == Verdict::kAbsent) {
      throw SnapshotError("The ranks do not see the same snapshots, so none is restored. " + judgement.reason);
    }
    if (judgement.verdict == Verdict::kUnreadable) {
      throw SnapshotError("'" + path.string() + "' may be good but cannot be read, so none is restored. " +
                          judgement.reason);
    }
    std::string report;
    if (comm.rank() == 0) {
      try {
        report = "'" + path.string() + "' does not verify and is now '" +
                 quarantine_snapshot(files, path, judgement.reason).filename().string() + "'. " + judgement.reason;
      } catch (const SnapshotError& error) {
        report = "'" + path.string() + "' does not verify. " + judgement.reason +
                 " It could not be put into quarantine either: " + error.what();
      }
    }
    found.quarantined.push_back(text_of_rank_0(comm, report));
  }
}

Snapshot open_snapshot(Communicator& comm, FileLayer& files, const fs::path& path, const FindOptions& options) {
  Judgement judgement = judge_together(comm, files, path, options);
  if (judgement.verdict == Verdict::kNewerFormat) throw NewerFormatError(judgement.reason);
  if (judgement.verdict != Verdict::kGood) {
    throw SnapshotError("'" + path.string() + "' cannot be restored. " + judgement.reason);
  }
  return {path, std::move(judgement.manifest)};
}

std::vector<std::string> verify_snapshot(const FileLayer& files, const fs::path& path, std::int64_t block_bytes) {
  std::vector<std::string> problems;
  const auto keep = [&](const auto& look) {
    const Judgement judgement = judge(look);
    if (judgement.verdict != Verdict::kGood) problems.push_back(judgement.reason);
    return judgement.manifest;
  };
  const Manifest manifest = keep([&] { return read_manifest(files, path); });
  for (const ManifestFile& file : manifest.files) {
    keep([&] {
      check_digest(path / file.name, digest_of_file(files, path / file.name, block_bytes), file.digest);
      return manifest;
    });
  }
  return problems;
}

}  // namespace negatron

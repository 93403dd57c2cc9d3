#include "runtime/snapshots/find_snapshot.h"

#include <algorithm>
#include <thread>

#include <c10/util/Exception.h>

#include "comm/rank_texts.h"
#include "comm/together.h"
#include "runtime/snapshots/bank_reader.h"
#include "runtime/snapshots/snapshot_directory.h"
#include "runtime/snapshots/trainer_file.h"

namespace negatron {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kLookInterval{20};

/// Ascending: the gravest of any rank is that of all.
///
///   kGood          restored
///   kAbsent        some rank does not see what rank 0 sees, however long it waits: an error, the file may only be late
///   kUnreadable    no permission, a disk that is ill, a server that is down: an error, since the snapshot may be good
///   kDamaged       read and found wrong; the next older one is tried
///   kNewerFormat   an error: an older one would silently lose training that a newer program could go on with
///
/// Example: 4 ranks, steps 300 and 200. Of 300 rank 2 finds its file's digest wrong and rank 3 may not read its own:
/// the gravest is kDamaged, so 300 is quarantined, and what rank 3 said stands in the reason too. Of 200 all four say
/// kGood, and it is restored. Had rank 3's been the only complaint, nothing would have been quarantined or restored.
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
    // Before SnapshotError, which it is one of: what the operating system could not do need not be the file's fault.
  } catch (const FileError& error) {
    judgement.verdict = error.is_absent()         ? Verdict::kAbsent
                        : error.tells_of_damage() ? Verdict::kDamaged
                                                  : Verdict::kUnreadable;
    judgement.reason = error.what();
  } catch (const SnapshotError& error) {
    judgement.verdict = Verdict::kDamaged;
    judgement.reason = error.what();
  } catch (const c10::Error& error) {
    judgement.verdict = Verdict::kUnreadable;
    judgement.reason = error.what_without_backtrace();
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
    // Only the size is looked at, so the digest is compared with itself. Reading all bytes is for the ranks, each its
    // own files: rank 0 alone would read the whole bank while the others wait.
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
  // With several copies of the bank rank r reads what rank r % shards of the first copy reads.
  for (const int shard : reader.shards_for(rank % shards, shards)) {
    names.push_back(bank_file_name(shard, manifest.bank->shards));
  }
  return names;
}

/// What digests do not tell: that the bytes mean something. Whoever made the file may have made its digest too.
void check_content(const Manifest& manifest, const fs::path& path, int rank, int shards, const FindOptions& options) {
  if (manifest.has(kTrainerName)) {
    const TrainerState state = read_trainer_file(path / kTrainerName);
    if (options.check_state) options.check_state(manifest, state);
  }
  if (!manifest.bank) return;
  BankReader reader(path, *manifest.bank, options.block_bytes);
  for (const int shard : reader.shards_for(rank % shards, shards)) reader.check(shard);
}

/// Tries again while something is missing that rank 0 sees.
Judgement verify_own(const FileLayer& files, const fs::path& path, int rank, int shards, const FindOptions& options) {
  const auto deadline = std::chrono::steady_clock::now() + options.visibility_wait;
  for (;;) {
    Judgement judgement = judge([&] {
      Manifest manifest = read_manifest(files, path);
      for (const std::string& name : files_for(manifest, path, rank, shards, options)) {
        check_file(files, path / name, manifest.file(name).digest, options.block_bytes);
      }
      check_content(manifest, path, rank, shards, options);
      return manifest;
    });
    // Nothing but an absence heals by itself. The other ranks wait meanwhile in the collective that follows, so the
    // time is bounded.
    if (judgement.verdict != Verdict::kAbsent || std::chrono::steady_clock::now() >= deadline) return judgement;
    std::this_thread::sleep_for(kLookInterval);
  }
}

/// Collective: one judgement for all.
///
/// The collectives, in order: broadcast of rank 0's glance; the reasons; the gravest verdict; then, only when that is
/// kGood, the digest of rank 0's manifest and the reasons again. Every branch around them depends on a value that was
/// broadcast or reduced, so no rank leaves early. None stands inside what `judge` runs: a rank that threw past one
/// would be waited for forever.
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
  // When rank 0 refuses at a glance, nobody reads gigabytes of the rest.
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
  // A stale cache of a shared file system may show another directory of the same name, whole but not this one. The text
  // is made anew from what was parsed, by one rule, so equal manifests give equal digests.
  if (text_of_rank_0(comm, digest_of(text)) != digest_of(text)) all.reason = "it is not the snapshot that rank 0 sees";
  all.reason = joined_errors(comm, all.reason);
  if (!all.reason.empty()) all.verdict = Verdict::kAbsent;
  return all;
}

/// Puts a damaged snapshot into quarantine. What became of it, in a sentence. Local.
std::string set_aside(FileLayer& files, const fs::path& path, const std::string& reason) {
  const std::string name = "'" + path.string() + "' does not verify";
  try {
    return name + " and is now '" + quarantine_snapshot(files, path, reason).filename().string() + "'. " + reason;
  } catch (const SnapshotError& error) {
    return name + ". " + reason + " It could not be put into quarantine either: " + error.what();
  }
}

/// A damaged snapshot that was passed over.
struct Passed {
  fs::path path;
  std::string reason;
};

/// Collective: puts those into quarantine. One rank renames, and none goes on before it has.
std::vector<std::string> set_all_aside(Communicator& comm, FileLayer& files, const std::vector<Passed>& passed) {
  std::vector<std::string> said;
  for (const Passed& one : passed)
    said.push_back(on_rank_0(comm, [&] { return set_aside(files, one.path, one.reason); }));
  return said;
}

/// Those of earlier starts, a sentence each between lines. Rank 0's alone.
std::string quarantined_before(const FileLayer& files, const fs::path& directory) {
  if (!files.exists(directory)) return {};
  std::vector<std::string> names;
  for (const std::string& name : files.list(directory)) {
    if (is_quarantined(name)) names.push_back(name);
  }
  std::sort(names.rbegin(), names.rend());
  std::string lines;
  for (const std::string& name : names) lines += "'" + name + "' was set aside by an earlier start.\n";
  return lines;
}

/// What to tell where no snapshot verifies. Collective.
std::vector<std::string> sentences_of(Communicator& comm, const FileLayer& files, const fs::path& directory,
                                      const std::vector<Passed>& passed) {
  std::vector<std::string> said;
  for (const Passed& one : passed) said.push_back("'" + one.path.filename().string() + "': " + one.reason);
  std::string lines =
      failing_as<SnapshotError>([&] { return on_rank_0(comm, [&] { return quarantined_before(files, directory); }); });
  for (std::size_t end = 0; (end = lines.find('\n')) != std::string::npos; lines.erase(0, end + 1)) {
    said.push_back(lines.substr(0, end));
  }
  return said;
}

}  // namespace

// The search goes from the newest snapshot to older ones, and every rank takes the same turn of the loop: rank 0 alone
// lists the directory and sends one name at a time, an empty one at the end, and the verdict is the gravest of all
// ranks. Only damage leads on to an older snapshot, because it alone makes this one worthless. All other verdicts stop
// the run: going back silently would lose steps to a mount that is late or a program that is old.
//
// Example: steps 300, 200 and 100 lie there, 2 ranks.
//   rank 1's file of 300 has a wrong digest     200 is judged, and 300 goes into quarantine once that is good
//   all three have wrong digests                nothing is found, and nothing renamed: a person decides
//   rank 1 may not read its file (EACCES)       error: 300 may be good, and nothing is renamed
//   rank 1 does not see 300, rank 0 does        error once the wait is over: the ranks look at different file systems
//   300 was written in a newer format           error: a newer program can restore it
FoundSnapshot find_newest_snapshot(Communicator& comm, FileLayer& files, const fs::path& run_directory,
                                   const FindOptions& options) {
  const fs::path directory = run_directory / "snapshots";
  FoundSnapshot found;
  std::vector<SnapshotEntry> candidates;
  std::vector<Passed> passed;
  failing_as<SnapshotError>([&] {
    return on_rank_0(comm, [&]() -> std::string {
      // Only rank 0 lists. Another rank might see other names, and then the ranks would judge different snapshots in
      // the same turn.
      candidates = list_snapshots(files, directory);
      return {};
    });
  });
  for (std::size_t next = 0;; ++next) {
    const std::string name =
        text_of_rank_0(comm, next < candidates.size() ? candidates[next].path.filename().string() : std::string());
    // The end of rank 0's list, which every rank learns in the same turn.
    if (name.empty()) {
      found.damaged = sentences_of(comm, files, directory, passed);
      return found;
    }
    const fs::path path = directory / name;
    Judgement judgement = judge_together(comm, files, path, options);
    if (judgement.verdict == Verdict::kGood) {
      found.quarantined = set_all_aside(comm, files, passed);
      found.snapshot = Snapshot{path, std::move(judgement.manifest)};
      return found;
    }
    if (judgement.verdict == Verdict::kNewerFormat) throw NewerFormatError(judgement.reason);
    if (judgement.verdict == Verdict::kAbsent) {
      throw SnapshotError("The ranks do not see the same snapshots, so none is restored. " + judgement.reason);
    }
    if (judgement.verdict == Verdict::kUnreadable) {
      throw SnapshotError("'" + path.string() + "' may be good but cannot be read, so none is restored. " +
                          judgement.reason +
                          " Once it can be read the same command goes on; --resume with the path of " +
                          "an older snapshot goes back to that one.");
    }
    passed.push_back({path, judgement.reason});
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
      check_file(files, path / file.name, file.digest, block_bytes);
      return manifest;
    });
  }
  return problems;
}

}  // namespace negatron

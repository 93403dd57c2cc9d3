#include "runtime/snapshots/judge_snapshot.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>

#include <c10/util/Exception.h>

#include "comm/rank_texts.h"
#include "runtime/snapshots/bank_reader.h"
#include "runtime/snapshots/files/digest.h"
#include "runtime/snapshots/snapshot_directory.h"
#include "runtime/snapshots/trainer_file.h"

namespace negatron {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kLookInterval{20};

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
  for (const SavedBank& bank : manifest.banks) {
    if (rank == 0) names.push_back(virtual_bank_name(bank.name));
    const BankReader reader(path, bank, options.block_bytes);
    // With several copies of the bank rank r reads what rank r % shards of the first copy reads.
    for (const int shard : reader.shards_for(rank % shards, shards)) {
      names.push_back(bank_file_name(shard, bank.shards, bank.name));
    }
  }
  return names;
}

/// What digests do not tell: that the bytes mean something. Whoever made the file may have made its digest too.
void check_content(const Manifest& manifest, const fs::path& path, int rank, int shards, const FindOptions& options) {
  if (manifest.has(kTrainerName)) {
    const TrainerState state = read_trainer_file(path / kTrainerName);
    if (options.check_state) options.check_state(manifest, state);
  }
  for (const SavedBank& bank : manifest.banks) {
    BankReader reader(path, bank, options.block_bytes);
    for (const int shard : reader.shards_for(rank % shards, shards)) reader.check(shard);
  }
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

}  // namespace

Judgement judge(const std::function<Manifest()>& look) {
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

// The collectives, in order: broadcast of rank 0's glance; the reasons; the gravest verdict; then, only when that is
// kGood, the digest of rank 0's manifest and the reasons again. Every branch around them depends on a value that was
// broadcast or reduced, so no rank leaves early. None stands inside what `judge` runs: a rank that threw past one
// would be waited for forever.
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

}  // namespace negatron

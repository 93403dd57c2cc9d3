#include "runtime/snapshots/save_part.h"

#include "runtime/snapshots/trainer_file.h"
#include "runtime/snapshots/virtual_bank.h"
#include "samplers/bank/learned_copy.h"

namespace negatron {
namespace {

namespace fs = std::filesystem;

/// Gives the temporary directory its final name, durably, or leaves everything as it was.
///
/// What a power cut leaves, by where it strikes, when step 300 is saved once more:
///   before the first rename    step-000000300 (the old one) and a temporary directory that the next pruning removes
///   between the two renames    step-000000300.replaced, which restoring takes for the snapshot of step 300 that it is
///   before the fsync           any of these three states: renames reach the disk in order, but at a time of their own
///   after it                   step-000000300 (the new one), and the old one as .replaced until pruning
/// At no point is there none of that step, which is why the old one steps aside and is not removed first.
void publish(FileLayer& files, const SaveJob& job) {
  const fs::path target = job.directory / step_name(job.step);
  const fs::path aside = job.directory / replaced_name(job.step);
  // Of a run that was set back to an older step, or one that is saved once more. Restoring finds it under its other
  // name too: it may be the only one.
  // A rename onto a directory that holds files is refused by POSIX, so the old one has to make room.
  const bool replaces = files.exists(target);
  if (replaces) {
    // Left there by a save that ended between its publishing and its pruning.
    if (files.exists(aside)) files.rename(aside, job.directory / temporary_name(job.step));
    files.rename(target, aside);
  }
  bool renamed = false;
  try {
    if (replaces) job.writing.reach("replace");
    job.writing.reach("rename");
    files.rename(job.temporary, target);
    renamed = true;
    job.writing.reach("publish");
    // The rename changed the parent's list of names and nothing else: it is durable when the parent is, and only then
    // may a caller be told so and pruning remove older snapshots.
    files.sync_directory(job.directory);
  } catch (...) {
    try {
      // A name that may not survive must not be found either.
      if (renamed) files.rename(target, job.temporary);
      if (replaces) files.rename(aside, target);
    } catch (const FileError&) {
      // What went wrong first is what matters. The old one is found under its other name too.
    }
    throw;
  }
}

ShardSources sources_of(BankCopy& copy) {
  ShardSources sources{[&copy](std::int64_t rows) { return copy.next(rows); }};
  if (auto* learned = dynamic_cast<LearnedCopy*>(&copy)) {
    sources.raw = [learned](std::int64_t rows) { return learned->next_raw(rows); };
    sources.moments = [learned](std::int64_t rows) { return learned->next_moments(rows); };
  }
  return sources;
}

}  // namespace

// Each rank in its own background thread, with no regard to the others. Every file is synced when its digest is
// returned, so once the ranks have gathered these digests all contents are on the disk; names are not yet.
std::vector<ManifestFile> write_part(FileLayer& files, const SaveJob& job) {
  std::vector<ManifestFile> written;
  if (job.copies.empty() && !job.trainer) return written;
  // Of several ranks the first one makes them. In the threads that write, as a file system may take its time; and with
  // those above, as a run whose directory was removed goes on to save.
  make_directories(files, job.temporary);
  for (std::size_t i = 0; i < job.copies.size(); ++i) {
    const SavedBank& bank = job.banks[i];
    const std::string name = bank_file_name(job.shard, bank.shards, bank.name);
    written.push_back(
        {name, write_bank_file(files, job.temporary / name, bank, job.shard, sources_of(*job.copies[i]), job.writing)});
  }
  if (job.trainer) {
    const std::string name(kTrainerName);
    written.push_back({name, write_trainer_file(files, job.temporary / name, *job.trainer, job.writing)});
  }
  return written;
}

// The order, and why no two steps can change places:
//
//   1  contents     synced file by file (write_part), here those of bank.h5: what a manifest vouches for must be there
//   2  manifest     last of all files, since a directory that holds a valid one counts as a snapshot
//   3  fsync        of the temporary directory: contents without names would be lost with it
//   4  rename       the one step that is all or nothing
//   5  fsync        of the directory of all snapshots, for the new name
//
// Were 4 before 3, a power cut could leave step-000000300 without some of its files: a damaged snapshot where there
// should be none. As it is, one that strikes before 4 leaves a name with ".tmp-" in it, which nobody restores from.
void commit_parts(FileLayer& files, const SaveJob& job, std::vector<ManifestFile> parts) {
  write_manifest(files, job, std::move(parts));
  // The save may have made the directory of all snapshots, whose own name is in the run directory above it.
  files.sync_directory(job.run_directory);

  publish(files, job);
}

void write_manifest(FileLayer& files, const SaveJob& job, std::vector<ManifestFile> parts) {
  Manifest manifest{job.step, job.world_size, job.banks, std::move(parts)};
  for (const SavedBank& bank : job.banks) {
    const std::string name = virtual_bank_name(bank.name);
    manifest.files.push_back({name, write_virtual_bank(files, job.temporary / name, bank, job.writing)});
  }
  const std::string text = manifest_text(manifest);
  // Never publish what could not be read back.
  parse_manifest(text);
  job.writing.reach("manifest");
  write_text(files, job.temporary / kManifestName, text);
  files.sync_directory(job.temporary);
}

SavedBank describe(const NamedBank& named) {
  const Bank& bank = *named.bank;
  const BankOptions& options = bank.options();
  return {bank.layout().state(), bank.layout().ranks(), bank.width(),          options.dtype,
          options.kind,          options.length,        options.row_optimizer, named.name};
}

}  // namespace negatron

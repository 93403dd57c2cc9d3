#include "runtime/snapshots/find_snapshot.h"

#include <algorithm>

#include "comm/rank_texts.h"
#include "comm/together.h"
#include "runtime/snapshots/judge_snapshot.h"
#include "runtime/snapshots/snapshot_directory.h"

namespace negatron {
namespace {

namespace fs = std::filesystem;

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

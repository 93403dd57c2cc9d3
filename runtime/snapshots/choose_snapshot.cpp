#include "runtime/snapshots/choose_snapshot.h"

#include <stdexcept>
#include <utility>

#include "runtime/snapshots/snapshot_directory.h"

namespace negatron {

namespace fs = std::filesystem;

std::vector<fs::path> snapshots_at(const FileLayer& files, const fs::path& path) {
  const std::string name = "'" + path.string() + "'";
  if (!files.exists(path)) throw std::invalid_argument(name + " does not exist; a snapshot or a run is expected.");
  if (files.exists(path / kManifestName)) return {path};
  if (!files.exists(path / "snapshots")) {
    throw std::invalid_argument(name + " is neither a snapshot (it has no " + std::string(kManifestName) +
                                ") nor a run directory (it has no folder snapshots).");
  }
  std::vector<fs::path> found;
  for (const SnapshotEntry& entry : list_snapshots(files, path / "snapshots")) found.push_back(entry.path);
  if (found.empty()) throw std::invalid_argument("The run " + name + " has no snapshots.");
  return found;
}

ChosenSnapshot choose_snapshot(const FileLayer& files, const fs::path& path, std::int64_t block_bytes) {
  const std::vector<fs::path> candidates = snapshots_at(files, path);
  const bool chosen_here = candidates.front() != path;
  std::vector<std::string> notes;
  for (const fs::path& candidate : candidates) {
    const std::vector<std::string> problems = verify_snapshot(files, candidate, block_bytes);
    if (problems.empty()) {
      if (chosen_here) notes.push_back("reading '" + candidate.string() + "', the newest snapshot that verifies");
      return {{candidate, read_manifest(files, candidate)}, std::move(notes)};
    }
    // Someone asked for this one by name: another in its place would be a surprise. Where a run was named, its newest
    // whole snapshot is meant, and the notes say which one that was.
    if (!chosen_here) throw SnapshotError(problems.front());
    notes.push_back("passing over '" + candidate.string() + "': " + problems.front());
  }
  throw SnapshotError("No snapshot of the run '" + path.string() + "' verifies; of the newest: " + notes.front());
}

}  // namespace negatron

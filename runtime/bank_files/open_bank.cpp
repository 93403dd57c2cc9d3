#include "runtime/bank_files/open_bank.h"

#include <algorithm>
#include <stdexcept>

#include "runtime/snapshots/find_snapshot.h"
#include "runtime/snapshots/snapshot_directory.h"

namespace negatron {
namespace {

namespace fs = std::filesystem;

OpenBank with_bank(const fs::path& path, Manifest manifest) {
  if (!manifest.bank) throw std::invalid_argument("The snapshot '" + path.string() + "' holds no bank.");
  return {path, std::move(manifest), {}};
}

}  // namespace

std::int64_t OpenBank::row_bytes() const {
  return bank().width * static_cast<std::int64_t>(c10::elementSize(bank().dtype));
}

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

OpenBank open_bank(const FileLayer& files, const fs::path& path, const BankMemory& memory) {
  const std::vector<fs::path> candidates = snapshots_at(files, path);
  const bool chosen_here = candidates.front() != path;
  std::vector<std::string> notes;
  for (const fs::path& candidate : candidates) {
    const std::vector<std::string> problems =
        verify_snapshot(files, candidate, std::min(kDigestBlockBytes, memory.left()));
    if (problems.empty()) {
      OpenBank opened = with_bank(candidate, read_manifest(files, candidate));
      if (chosen_here) notes.push_back("reading '" + candidate.string() + "', the newest snapshot that verifies");
      opened.notes = std::move(notes);
      return opened;
    }
    // Someone asked for this one by name: another in its place would be a surprise. Where a run was named, its newest
    // whole snapshot is meant, and the notes say which one that was.
    if (!chosen_here) throw SnapshotError(problems.front());
    notes.push_back("passing over '" + candidate.string() + "': " + problems.front());
  }
  throw SnapshotError("No snapshot of the run '" + path.string() + "' verifies; of the newest: " + notes.front());
}

void for_each_block(const OpenBank& bank, std::int64_t rows, const std::function<void(const BankBlock&)>& visit) {
  BankReader reader = bank.reader(rows);
  const BankLayout& layout = reader.layout();
  for (std::int64_t begin = layout.floor(); begin < layout.head(); begin += rows) {
    visit(reader.read({begin, std::min(begin + rows, layout.head())}));
  }
}

}  // namespace negatron

#include "runtime/snapshots/named_snapshot.h"

#include "comm/together.h"
#include "runtime/snapshots/choose_snapshot.h"
#include "runtime/snapshots/snapshot_error.h"

namespace negatron {
namespace {

namespace fs = std::filesystem;

/// No path holds this byte.
constexpr char kBetweenPaths = '\0';

/// As rank 0 sees them, the newest first. Collective.
std::vector<fs::path> candidates_at(Communicator& comm, const FileLayer& files, const fs::path& path) {
  const std::string listed = failing_as<SnapshotError>([&] {
    return on_rank_0(comm, [&] {
      std::string text;
      for (const fs::path& candidate : snapshots_at(files, path)) text += candidate.string() + kBetweenPaths;
      return text;
    });
  });
  std::vector<fs::path> candidates;
  for (std::size_t begin = 0; begin < listed.size();) {
    const std::size_t end = listed.find(kBetweenPaths, begin);
    candidates.emplace_back(listed.substr(begin, end - begin));
    begin = end + 1;
  }
  return candidates;
}

}  // namespace

NamedSnapshot open_named_snapshot(Communicator& comm, FileLayer& files, const fs::path& path,
                                  const FindOptions& options) {
  const std::vector<fs::path> candidates = candidates_at(comm, files, path);
  if (candidates.front() == path) return {open_snapshot(comm, files, path, options), {}};
  std::vector<std::string> notes;
  for (const fs::path& candidate : candidates) {
    try {
      Snapshot snapshot = open_snapshot(comm, files, candidate, options);
      notes.push_back("reading '" + candidate.string() + "', the newest snapshot of '" + path.string() +
                      "' that verifies.");
      return {std::move(snapshot), std::move(notes)};
    } catch (const NewerFormatError&) {
      throw;
    } catch (const SnapshotError& error) {
      // All ranks hold the same sentence, and go on to the next.
      notes.push_back("passing over '" + candidate.string() + "': " + error.what());
    }
  }
  throw SnapshotError("No snapshot of the run '" + path.string() + "' verifies; of the newest: " + notes.front());
}

}  // namespace negatron

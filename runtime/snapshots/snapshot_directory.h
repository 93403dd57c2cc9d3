#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "runtime/snapshots/files/digest.h"
#include "runtime/snapshots/files/file_layer.h"
#include "runtime/snapshots/files/file_writing.h"

namespace negatron {

/// Under RUN/snapshots: "step-000012000" is a snapshot when it holds a valid manifest; "step-000012000.tmp-..." is
/// being written or removed and may be deleted by whoever owns the run; "step-000012000.quarantine" did not verify and
/// is kept for people to look at; "step-000012000.replaced" is a whole snapshot too, of a step that is just being saved
/// once more; "step-000012000.kept" was a snapshot that had to go, and holds what others had put into it. All functions
/// are local.
std::string step_name(std::int64_t step);
std::string replaced_name(std::int64_t step);
/// Of a snapshot, replaced or not. Nothing for any other name, quarantined and temporary ones among them.
std::optional<std::int64_t> step_of(const std::string& full_name);
/// Whether it was set aside: "step-000012000.quarantine", "step-000012000.quarantine-2".
bool is_quarantined(const std::string& name);
/// A name that no other process makes.
std::string temporary_name(std::int64_t step);

struct SnapshotEntry {
  std::int64_t step = 0;
  std::filesystem::path path;
};

/// Whatever is named like a snapshot, newest first, a replaced one after the one that replaces it; none when the
/// directory does not exist. Throws FileError.
std::vector<SnapshotEntry> list_snapshots(const FileLayer& files, const std::filesystem::path& directory);

/// Which snapshots stay: the newest `keep` and those of steps that are multiples of `keep_every` (0: none).
struct Retention {
  std::int64_t keep = 2;
  std::int64_t keep_every = 0;
};

/// Removes what need not stay, and what interrupted saves left behind. A directory without a valid manifest is not
/// counted and not touched. Each goes by a rename first, so that no half of one ever looks like a snapshot. Only this
/// program's files are removed: where others have put something, their things stay in "step-....kept". Returns a
/// sentence for each of those and for what could not be removed, which does not keep the others; empty without any.
/// Throws FileError when the directory cannot be read.
std::string prune_snapshots(FileLayer& files, const std::filesystem::path& directory, const Retention& retention,
                            const FileWriting& writing);

/// Removes the files that a save writes, and then the directory; of a link to one only the link. Returns what is in it
/// besides, in order: then the directory stays. Names that a network file system gives to removed files that are still
/// open (".nfs...") are not told, and go with a later call.
std::vector<std::string> remove_snapshot_files(FileLayer& files, const std::filesystem::path& path);

/// Renames a snapshot so that nobody takes it for one again and writes the reason into it as reason.txt. Returns the
/// new path. Throws FileError.
std::filesystem::path quarantine_snapshot(FileLayer& files, const std::filesystem::path& snapshot,
                                          const std::string& reason);

}  // namespace negatron

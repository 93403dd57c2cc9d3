#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/snapshots/bank_file.h"
#include "runtime/snapshots/files/digest.h"

namespace negatron {

struct ManifestFile {
  std::string name;
  FileDigest digest;
};

/// What a snapshot is: written last, and nothing is a snapshot without it.
struct Manifest {
  std::int64_t step = 0;
  /// The ranks that wrote it.
  int world_size = 1;
  /// None when the run has none; one, which needs no name; or several, each with a name of its own.
  std::vector<SavedBank> banks;
  /// trainer.h5, and of each bank all its shards' files and bank.h5. Banks alone, which no run made, have no
  /// trainer.h5.
  std::vector<ManifestFile> files;

  /// The bank of a snapshot that has one. Throws SnapshotError where there is none, or several.
  const SavedBank& bank() const;
  /// Null when there is none of that name.
  const SavedBank* bank_named(std::string_view name) const;
  bool has(std::string_view name) const;
  /// Throws SnapshotError when there is none.
  const ManifestFile& file(std::string_view name) const;
};

inline constexpr std::string_view kManifestName = "manifest.json";
inline constexpr std::string_view kTrainerName = "trainer.h5";

/// JSON. The first line holds the format's version and the XXH3-128 of all else, by a rule that no version changes.
std::string manifest_text(const Manifest& manifest);
/// Throws SnapshotError when the text is damaged or names files that are not those of a snapshot, and NewerFormatError.
Manifest parse_manifest(std::string_view text);
/// As parse_manifest; the message names the file.
Manifest read_manifest(const FileLayer& files, const std::filesystem::path& snapshot);

/// "'view-a' and 'view-b'", to be shown.
std::string bank_names_text(const std::vector<SavedBank>& banks);

/// Between ranks, and inside a manifest: JSON.
std::string files_text(const std::vector<ManifestFile>& files);
std::vector<ManifestFile> parse_files(std::string_view text);

}  // namespace negatron

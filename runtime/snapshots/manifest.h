#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
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
  /// Absent when the run has none.
  std::optional<SavedBank> bank;
  /// trainer.h5, and with a bank all its shards' files and bank.h5. A bank alone, which no run made, has no trainer.h5.
  std::vector<ManifestFile> files;

  bool has(std::string_view name) const;
  /// Throws SnapshotError when there is none.
  const ManifestFile& file(std::string_view name) const;
};

inline constexpr std::string_view kManifestName = "manifest.json";
inline constexpr std::string_view kTrainerName = "trainer.h5";
inline constexpr std::string_view kVirtualBankName = "bank.h5";

/// JSON. The first line holds the format's version and the XXH3-128 of all else, by a rule that no version changes.
std::string manifest_text(const Manifest& manifest);
/// Throws SnapshotError when the text is damaged or names files that are not those of a snapshot, and NewerFormatError.
Manifest parse_manifest(std::string_view text);
/// As parse_manifest; the message names the file.
Manifest read_manifest(const FileLayer& files, const std::filesystem::path& snapshot);

/// Between ranks, and inside a manifest: JSON.
std::string files_text(const std::vector<ManifestFile>& files);
std::vector<ManifestFile> parse_files(std::string_view text);

}  // namespace negatron

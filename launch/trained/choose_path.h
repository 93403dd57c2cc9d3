#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "runtime/snapshots/files/file_layer.h"

namespace negatron {

/// What a command is given to look at.
struct OpenedPath {
  /// Verified; empty for a file of weights.
  std::filesystem::path snapshot;
  /// What people should hear about how it was chosen, a sentence each.
  std::vector<std::string> notes;
};

/// What RUN, SNAPSHOT or FILE names: of a run directory the newest snapshot that verifies, a snapshot, or a file of
/// weights, which is not looked into. Local. Throws UsageError or std::invalid_argument for what is none of them and
/// for a bank without an encoder, SnapshotError for what is damaged.
OpenedPath choose_path(const FileLayer& files, const std::string& path);

/// The same where a file of weights is not expected.
OpenedPath choose_trained(const FileLayer& files, const std::string& path);

}  // namespace negatron

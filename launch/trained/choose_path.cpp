#include "launch/trained/choose_path.h"

#include <utility>

#include "launch/exit_code.h"
#include "runtime/snapshots/choose_snapshot.h"

namespace negatron {
namespace {

constexpr std::int64_t kVerifiedBlockBytes = std::int64_t{8} << 20;

}  // namespace

OpenedPath choose_trained(const FileLayer& files, const std::string& path) {
  ChosenSnapshot chosen = choose_snapshot(files, path, kVerifiedBlockBytes);
  if (!chosen.snapshot.manifest.has(kTrainerName)) {
    throw UsageError("'" + path + "' is a bank alone, without an encoder.");
  }
  return {chosen.snapshot.path, std::move(chosen.notes)};
}

OpenedPath choose_path(const FileLayer& files, const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return choose_trained(files, path);
  if (files.exists(path)) return {};
  throw UsageError("'" + path + "' does not exist; a run directory, a snapshot or a file of weights is expected.");
}

}  // namespace negatron

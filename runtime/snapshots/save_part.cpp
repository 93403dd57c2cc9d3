#include "runtime/snapshots/save_part.h"

#include "runtime/snapshots/trainer_file.h"
#include "runtime/snapshots/virtual_bank.h"

namespace negatron {
namespace {

namespace fs = std::filesystem;

/// Gives the temporary directory its final name, durably, or leaves everything as it was.
void publish(FileLayer& files, const SaveRequest& request) {
  const fs::path target = request.directory / step_name(request.step);
  const fs::path aside = request.directory / replaced_name(request.step);
  // Of a run that was set back to an older step, or one that is saved once more. Restoring finds it under its other
  // name too: it may be the only one.
  const bool replaces = files.exists(target);
  if (replaces) {
    // Left there by a save that ended between its publishing and its pruning.
    if (files.exists(aside)) files.rename(aside, request.directory / temporary_name(request.step));
    files.rename(target, aside);
  }
  bool renamed = false;
  try {
    if (replaces) request.writing.reach("replace");
    request.writing.reach("rename");
    files.rename(request.temporary, target);
    renamed = true;
    request.writing.reach("publish");
    files.sync_directory(request.directory);
  } catch (...) {
    // A name that may not survive must not be found either.
    if (renamed) files.rename(target, request.temporary);
    if (replaces) files.rename(aside, target);
    throw;
  }
}

}  // namespace

std::vector<ManifestFile> write_part(FileLayer& files, const SaveRequest& request) {
  std::vector<ManifestFile> written;
  if (request.copy) {
    const std::string name = bank_file_name(request.shard, request.bank->shards);
    const auto next = [&](std::int64_t rows) { return request.copy->next(rows); };
    written.push_back(
        {name, write_bank_file(files, request.temporary / name, *request.bank, request.shard, next, request.writing)});
  }
  if (request.trainer) {
    const std::string name(kTrainerName);
    written.push_back({name, write_trainer_file(files, request.temporary / name, *request.trainer, request.writing)});
  }
  return written;
}

void commit_parts(FileLayer& files, const SaveRequest& request, std::vector<ManifestFile> parts) {
  Manifest manifest{request.step, request.world_size, request.bank, std::move(parts)};
  if (request.bank) {
    const std::string name(kVirtualBankName);
    manifest.files.push_back(
        {name, write_virtual_bank(files, request.temporary / name, *request.bank, request.writing)});
  }
  const std::string text = manifest_text(manifest);
  // Never publish what could not be read back.
  parse_manifest(text);
  request.writing.reach("manifest");
  write_text(files, request.temporary / kManifestName, text);
  files.sync_directory(request.temporary);
  if (request.sync_run_directory) files.sync_directory(request.run_directory);

  publish(files, request);
}

}  // namespace negatron

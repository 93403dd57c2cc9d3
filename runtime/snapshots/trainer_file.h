#pragma once

#include <filesystem>
#include <string>

#include "runtime/snapshots/files/digest.h"
#include "runtime/snapshots/files/file_layer.h"
#include "runtime/snapshots/files/file_writing.h"
#include "runtime/snapshots/trainer_state.h"

namespace negatron {

/// Copies of all tensors on the host, which later steps do not change.
TrainerState host_copy(const TrainerState& state);

/// trainer.h5: /tensors/NAME, /text/NAME, and /numbers with an attribute for each. Tensors on the host. Local. Throws
/// SnapshotError for a name that is empty, twice there or has a '/'.
FileDigest write_trainer_file(FileLayer& files, const std::filesystem::path& path, const TrainerState& state,
                              const FileWriting& writing);

/// Tensors on the host. Throws SnapshotError.
TrainerState read_trainer_file(const std::filesystem::path& path);

/// One text of it, without reading the rest; empty when there is none of that name. Local. Throws SnapshotError.
std::string read_trainer_text(const std::filesystem::path& path, const std::string& name);

}  // namespace negatron

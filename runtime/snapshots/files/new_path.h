#pragma once

#include <filesystem>
#include <functional>

#include "runtime/snapshots/files/file_layer.h"

namespace negatron {

/// What happens to what has the name already.
enum class Existing { kRefused, kReplaced };

/// Throws std::invalid_argument when `out` exists or the directory that is to hold it does not. Local.
void check_new_path(const FileLayer& files, const std::filesystem::path& out);

/// The directory that holds a path: "." for a name alone. Local.
std::filesystem::path parent_of(const std::filesystem::path& path);

/// Makes a file or a directory under a name of its own beside `out` ("OUT.partial-...") and renames it when `write` is
/// done; removes it when that throws and when it cannot be made durable, and beforehand what a process of this machine
/// that was killed has left of the same kind. With kReplaced a file that has the name goes in the same moment; a link
/// stays one, and what it names is replaced. `write` syncs what it writes. Local. Throws what `write` throws, and
/// SnapshotError.
void write_then_rename(FileLayer& files, const std::filesystem::path& named,
                       const std::function<void(const std::filesystem::path& partial)>& write,
                       Existing existing = Existing::kRefused);

}  // namespace negatron

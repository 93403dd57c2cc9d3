#pragma once

#include <chrono>
#include <filesystem>

#include "comm/communicator.h"
#include "runtime/snapshots/files/file_layer.h"

namespace negatron {

/// How long a shared file system may hide from one host what another wrote: NFS keeps what it knows of a directory for
/// up to half a minute.
inline constexpr std::chrono::milliseconds kSharedWithin{40'000};

/// Refuses a run directory that is another one on some rank's host, into which its part of every snapshot would vanish:
/// rank 0 writes a small file there, which all must see within `patience`. Nothing of it stays. Collective. Throws
/// UsageError on every rank, and SnapshotError where rank 0 cannot write.
void require_shared_directory(Communicator& comm, FileLayer& files, const std::filesystem::path& directory,
                              std::chrono::milliseconds patience = kSharedWithin);

}  // namespace negatron

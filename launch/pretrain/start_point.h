#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "launch/pretrain/pretrain_flags.h"
#include "runtime/snapshots/files/directory_lock.h"
#include "runtime/snapshots/find_snapshot.h"

namespace negatron {

/// Where a run lives and what it goes on from.
struct StartPoint {
  std::filesystem::path run_directory;
  /// Nobody else runs in there while this lives.
  std::unique_ptr<DirectoryLock> lock;
  /// Nothing for a fresh run.
  std::optional<Snapshot> resume;
  /// For a fresh run.
  std::optional<Snapshot> bank;
  /// What the operator should know, a sentence each.
  std::vector<std::string> remarks;
};

/// Finds, verifies and locks what --run-dir, --resume and --bank ask for (a run directory names its newest snapshot
/// that verifies), and writes `config_ini`, the values of `flags`, into the directory. Collective; `comm` carries host
/// tensors, and waits as long as verifying takes. Throws UsageError on every rank, with nothing changed, when the
/// directory holds another run, is in use, or when a snapshot is damaged or of another network, objective or width; the
/// sentence says how to go on.
StartPoint find_start(Communicator& comm, FileLayer& files, const PretrainArguments& request, const FlagTable& flags,
                      const std::string& config_ini);

/// What find_start() would refuse and remark on, with nothing made, locked or set aside. Of --resume auto it looks at
/// no snapshot. Collective. Throws as find_start().
std::vector<std::string> check_start(Communicator& comm, FileLayer& files, const PretrainArguments& request,
                                     const FlagTable& flags, const std::string& config_ini);

}  // namespace negatron

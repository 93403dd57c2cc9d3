#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "comm/communicator.h"
#include "runtime/snapshots/files/file_layer.h"

namespace negatron {

/// Who holds a run directory.
struct LockOwner {
  std::string host;
  std::int64_t pid = 0;
  /// When the process began, in the kernel's ticks since boot: tells it from a later one with its pid. 0 where unknown.
  std::int64_t began = 0;
  /// Of Slurm; empty without.
  std::string job_id;
  /// For people.
  std::string since;
};

/// This process.
LockOwner this_owner(const std::string& job_id);

/// Keeps two runs out of one directory: the file RUN/lock names its owner. Gone with this object; a run that is killed
/// leaves it behind.
class DirectoryLock {
 public:
  /// Collective; rank 0 does it. Throws SnapshotError on all ranks when someone holds the directory: the message names
  /// the owner, and when the owner is a process of this host that no longer runs says so, and how to go on. `take_over`
  /// goes on by itself in that case, and when the owner is an earlier start of the same Slurm job: loudly, see
  /// took_over().
  DirectoryLock(Communicator& comm, FileLayer& files, const std::filesystem::path& run_directory,
                const LockOwner& owner, bool take_over);
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

  /// A sentence about the lock that was taken over; empty when there was none.
  const std::string& took_over() const noexcept { return took_over_; }

 private:
  void acquire(const LockOwner& owner, bool take_over);

  FileLayer& files_;
  std::filesystem::path path_;
  bool held_ = false;
  std::string took_over_;
};

}  // namespace negatron

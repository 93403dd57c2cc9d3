#pragma once

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "comm/threads/thread_communicator.h"
#include "runtime/snapshots/files/directory_lock.h"
#include "runtime/snapshots/snapshot_error.h"

namespace negatron::testing {

/// What one start came to.
struct LockStart {
  std::unique_ptr<DirectoryLock> lock;
  /// Empty when it has the lock.
  std::string refusal;
  double seconds = 0.0;
};

inline LockStart start_in(const std::filesystem::path& directory, const LockOwner& owner = this_owner({}),
                          const LeaseOptions& lease = {}) {
  LockStart start;
  run_ranks(1, {}, [&](Communicator& comm) {
    const auto begun = std::chrono::steady_clock::now();
    try {
      start.lock = std::make_unique<DirectoryLock>(comm, directory, owner, lease);
    } catch (const SnapshotError& error) {
      start.refusal = error.what();
    }
    start.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  });
  return start;
}

inline std::string lock_text(const std::filesystem::path& directory) {
  std::ifstream file(directory / "lock");
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void leave_lock(const std::filesystem::path& directory, const std::string& text) {
  std::ofstream(directory / "lock", std::ios::trunc) << text;
}

inline bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// One that waits no time that a test would notice.
inline LeaseOptions quick() {
  LeaseOptions options;
  options.lease = std::chrono::duration<double>(0.3);
  options.renew_every = std::chrono::duration<double>(0.02);
  options.settle = std::chrono::duration<double>(0.05);
  return options;
}

/// A start of another kernel, whose processes nobody here can ask about.
inline LockOwner elsewhere(const SlurmStart& slurm = {}) {
  LockOwner owner = this_owner(slurm);
  owner.process.host = "elsewhere";
  owner.process.boot = "of another kernel";
  owner.kernel_lock = true;
  owner.lease_seconds = 0.3;
  return owner;
}

}  // namespace negatron::testing

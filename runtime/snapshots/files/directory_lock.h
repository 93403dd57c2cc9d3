#pragma once

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "comm/communicator.h"
#include "runtime/snapshots/files/lock_file.h"
#include "runtime/snapshots/files/lock_owner.h"

namespace negatron {

/// How owners show those that the kernel cannot ask about them that they live.
struct LeaseOptions {
  /// An owner on another kernel whose lease was not renewed for so long is dead.
  std::chrono::duration<double> lease = std::chrono::seconds(60);
  std::chrono::duration<double> renew_every = std::chrono::seconds(10);
  /// How long a start that took over waits to see whether another did so too, where the kernel cannot tell.
  std::chrono::duration<double> settle = std::chrono::seconds(1);
  /// How long a start waits for a lock that someone holds: a process that was killed just now holds it until the kernel
  /// has given back its memory.
  std::chrono::duration<double> grace = std::chrono::seconds(2);
  /// Gets a sentence, on rank 0, before a start waits for a lease to end. May be empty.
  std::function<void(const std::string& sentence)> tell;
};

/// Keeps two runs out of one directory. The file RUN/lock names its owner, who holds it open and locked: on one kernel
/// that alone decides, and what a run that was killed left behind is taken over at once. An owner on another kernel, or
/// on a file system without locks, is watched for as long as its lease lasts, by the clock of who watches: it lives
/// when its record changes meanwhile. A server may hold the lock of a host that is gone for longer than that: such an
/// owner is watched for some leases, and never taken over while its lock is held. What is no record, and nobody's, is
/// taken over. Gone with this object.
class DirectoryLock {
 public:
  /// Collective; rank 0 does it. Throws SnapshotError on all ranks, a sentence that names the owner, when someone who
  /// is not known to be dead holds the directory.
  DirectoryLock(Communicator& comm, const std::filesystem::path& run_directory, const LockOwner& owner,
                const LeaseOptions& options = {});
  /// Removes the file if it still is this owner's.
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

  /// A sentence about the lock that was taken over; empty when there was none.
  const std::string& took_over() const noexcept { return took_over_; }

  /// `lost` gets a sentence, in another thread, when another start took the directory because this one was not heard of
  /// for longer than its lease. Local; on rank 0.
  void when_lost(std::function<void(const std::string& sentence)> lost);

 private:
  std::string acquire();
  /// Nothing when it is to be tried again: the file disappeared meanwhile, or its holder may be ending.
  std::optional<std::string> try_to_acquire();
  /// Why the owner that the file names is over, in a few words that follow its name; nothing when it ended just now.
  /// Throws when it lives.
  std::optional<std::string> why_over(const std::string& text, const std::optional<LockOwner>& other);
  /// Refuses an owner on another kernel that lives, or whose lock is still held after some leases; comes back after
  /// each lease, for another look at the lock.
  void watch_holder_elsewhere(const std::string& text, const LockOwner& other);
  /// Whether the record stayed as it is for the whole lease; nothing when the file has gone.
  std::optional<bool> stays_for_a_lease(const std::string& text, std::chrono::duration<double> lease) const;
  void require_still_own() const;
  std::string own_text(const LockFile& file);
  [[noreturn]] void refuse(const std::optional<LockOwner>& other, const std::string& why) const;
  /// In a thread of its own, until the end.
  void keep_renewing();
  void renew();

  std::filesystem::path path_;
  LockOwner owner_;
  LeaseOptions options_;
  LockFile file_;
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  /// The kernel's word, or a file that was just made: nobody else can hold it.
  bool is_certain_ = false;
  /// What stayed as it was for so many leases while its lock was held.
  std::string silent_text_;
  int silent_leases_ = 0;
  std::string took_over_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool ends_ = false;
  bool is_lost_ = false;
  std::function<void(const std::string& sentence)> lost_;
  std::thread renewing_;
};

}  // namespace negatron

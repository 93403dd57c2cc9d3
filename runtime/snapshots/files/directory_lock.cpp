#include "runtime/snapshots/files/directory_lock.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "comm/together.h"
#include "runtime/snapshots/snapshot_error.h"

namespace negatron {
namespace {

namespace fs = std::filesystem;
using Seconds = std::chrono::duration<double>;
using Clock = std::chrono::steady_clock;

constexpr Seconds kLookEvery{0.1};
/// The file is anyone's, so what it asks for is not waited for without end.
constexpr Seconds kLongestLease{300.0};
/// NFS servers give up the locks of a client that is gone after a minute and a half.
constexpr int kMostSilentLeases = 4;

/// Of the owner that is watched: it knows how often it renews.
Seconds lease_of(const std::optional<LockOwner>& owner, Seconds otherwise) {
  if (!owner || !(owner->lease_seconds > 0.0)) return otherwise;
  return std::min(Seconds(owner->lease_seconds), kLongestLease);
}

std::string whole_seconds(Seconds seconds) {
  return std::to_string(static_cast<std::int64_t>(std::ceil(seconds.count()))) + " s";
}

std::string named(const std::optional<LockOwner>& owner) {
  return owner ? describe(*owner) : "an owner that cannot be read";
}

}  // namespace

DirectoryLock::DirectoryLock(Communicator& comm, const fs::path& run_directory, const LockOwner& owner,
                             const LeaseOptions& options)
    : path_(run_directory / "lock"), owner_(owner), options_(options) {
  owner_.lease_seconds = options_.lease.count();
  // Rank 0 decides and all ranks throw or go on alike: on_rank_0 is collective, and `acquire` holds no collective.
  took_over_ = failing_as<SnapshotError>([&] { return on_rank_0(comm, [&] { return acquire(); }); });
  if (file_.is_open()) renewing_ = std::thread([this] { keep_renewing(); });
}

DirectoryLock::~DirectoryLock() {
  if (!file_.is_open()) return;
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
    changed_.notify_all();
  }
  renewing_.join();
  try {
    // Not what another start has put there since.
    const std::optional<LockOwner> now = parse_owner(file_.text_at_path());
    if (file_.is_at_its_path() && now && now->token == owner_.token) file_.remove();
  } catch (const std::exception&) {
    // A lock that stays is nobody's as soon as this process closes it.
  }
}

void DirectoryLock::when_lost(std::function<void(const std::string& sentence)> lost) {
  const std::lock_guard lock(mutex_);
  lost_ = std::move(lost);
}

std::string DirectoryLock::acquire() {
  for (;;) {
    if (std::optional<std::string> taken = try_to_acquire()) return *std::move(taken);
  }
}

std::optional<std::string> DirectoryLock::try_to_acquire() {
  file_ = LockFile::open_or_make(path_, [this](const LockFile& made) { return own_text(made); });
  if (file_.was_made()) return std::string();
  if (file_.held() == LockFile::Held::kByAnother && Clock::now() - begun_ < options_.grace) {
    std::this_thread::sleep_for(kLookEvery);
    return std::nullopt;
  }
  const std::string text = file_.text_at_path();
  const std::optional<LockOwner> other = parse_owner(text);
  is_certain_ = false;
  const std::optional<std::string> why = why_over(text, other);
  if (!why) return std::nullopt;
  file_.write(own_text(file_));
  if (!is_certain_) require_still_own();
  return "'" + path_.parent_path().string() + "' was held by " + named(other) + *why + ": taken over.";
}

// In this order: the kernel's word for a lock that is held; then for one that nobody holds, where it can give it; what
// Slurm promises; and the lease, for owners about whom nobody here can be asked.
std::optional<std::string> DirectoryLock::why_over(const std::string& text, const std::optional<LockOwner>& other) {
  if (file_.held() == LockFile::Held::kByAnother) {
    const bool elsewhere = other && !other->process.boot.empty() && other->process.boot != owner_.process.boot;
    if (!elsewhere) refuse(other, ", which holds '" + path_.string() + "'");
    watch_holder_elsewhere(text, *other);
    return std::nullopt;
  }
  const bool nobody_here = file_.held() == LockFile::Held::kByThis;
  if (!other && nobody_here) {
    is_certain_ = true;
    return ", whom nobody has to wait for";
  }
  if (other) {
    ProcessIdentity process = other->process;
    if (process.boot.empty()) {
      // Of a version that renewed nothing. Two runs in one directory are worse than one that does not start.
      const std::string by_hand = ". If that run is over, remove '" + path_.string() + "'";
      if (process.host != owner_.process.host) refuse(other, by_hand);
      if (!has_ended(process)) refuse(other, by_hand);
      is_certain_ = nobody_here;
      return ", which no longer runs";
    }
    const bool same_kernel = process.boot == owner_.process.boot;
    is_certain_ = nobody_here && same_kernel && other->kernel_lock && other->device == file_.device();
    if (is_certain_ || (shares_pids(process, owner_.process) && has_ended(process))) return ", which no longer runs";
    const bool same_job = !owner_.slurm.job_id.empty() && other->slurm.job_id == owner_.slurm.job_id;
    if (same_job && owner_.slurm.restarts > other->slurm.restarts) return ", an earlier start of this job";
  }
  const Seconds lease = lease_of(other, options_.lease);
  const std::string silent = ", which has not renewed its lease for " + whole_seconds(lease);
  if (silent_leases_ > 0 && text == silent_text_) return silent;
  if (options_.tell) {
    options_.tell("'" + path_.parent_path().string() + "' was left by " + named(other) + "; for at most " +
                  whole_seconds(lease) + " it is watched whether that still runs.");
  }
  const std::optional<bool> stays = stays_for_a_lease(text, lease);
  if (!stays) return std::nullopt;
  if (!*stays) refuse(other, ", which renewed '" + path_.string() + "' just now");
  return silent;
}

// A host that lost its power has unlocked nothing, and one that is suspended renews nothing: only the lock tells them
// apart, once the server has noticed.
void DirectoryLock::watch_holder_elsewhere(const std::string& text, const LockOwner& other) {
  const Seconds lease = lease_of(other, options_.lease);
  if (text != silent_text_) silent_leases_ = 0;
  if (silent_leases_ >= kMostSilentLeases) {
    refuse(other, ", which still holds '" + path_.string() + "' although it has not renewed it for " +
                      whole_seconds(kMostSilentLeases * lease) + ". If that host is gone, remove that file");
  }
  if (silent_leases_ == 0 && options_.tell) {
    options_.tell("'" + path_.parent_path().string() + "' is held by " + named(other) + "; for at most " +
                  whole_seconds(kMostSilentLeases * lease) + " it is watched whether that still runs.");
  }
  const std::optional<bool> stays = stays_for_a_lease(text, lease);
  if (!stays) return;
  if (!*stays) refuse(other, ", which renewed '" + path_.string() + "' just now");
  silent_text_ = text;
  ++silent_leases_;
}

std::optional<bool> DirectoryLock::stays_for_a_lease(const std::string& text, Seconds lease) const {
  const Clock::time_point begun = Clock::now();
  while (Clock::now() - begun < lease) {
    std::this_thread::sleep_for(kLookEvery);
    const std::string now = file_.text_at_path();
    // What is there now need not be what was opened, but somebody put it there.
    if (now != text && !now.empty()) return false;
    if (!file_.is_at_its_path()) return std::nullopt;
  }
  return true;
}

// Two that watched the same dead owner from two kernels may both have written; the later one has the file.
void DirectoryLock::require_still_own() const {
  std::this_thread::sleep_for(options_.settle);
  const std::optional<LockOwner> now = parse_owner(file_.text_at_path());
  if (now && now->token == owner_.token) return;
  throw SnapshotError("'" + path_.parent_path().string() + "' was taken by another run just now: " + named(now) + ".");
}

std::string DirectoryLock::own_text(const LockFile& file) {
  owner_.kernel_lock = file.held() == LockFile::Held::kByThis;
  owner_.device = file.device();
  return text_of(owner_);
}

void DirectoryLock::refuse(const std::optional<LockOwner>& other, const std::string& why) const {
  throw SnapshotError("'" + path_.parent_path().string() + "' is in use by " + named(other) + why + ".");
}

void DirectoryLock::keep_renewing() {
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, options_.renew_every, [this] { return ends_ || is_lost_; })) renew();
}

// With the mutex held; only the end waits for it.
void DirectoryLock::renew() {
  try {
    const std::optional<LockOwner> now = parse_owner(file_.text_at_path());
    if (now && now->token != owner_.token) {
      is_lost_ = true;
      if (!lost_) return;
      lost_("'" + path_.parent_path().string() + "' was taken over by " + describe(*now) +
            ", to which this run seemed dead; this run ends.");
      return;
    }
    ++owner_.renewals;
    file_.write(text_of(owner_));
  } catch (const std::exception&) {
    // A full or distant disk: the next renewal may come through, and if none does, the lease ends as it should.
  }
}

}  // namespace negatron

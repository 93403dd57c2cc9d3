// Owners that the kernel here cannot ask about: they live as long as they renew what they wrote.

#include "runtime/snapshots/files/directory_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <optional>
#include <thread>

#include <gtest/gtest.h>

#include "comm/threads/thread_communicator.h"
#include "runtime/snapshots/snapshot_error.h"
#include "tests/runtime/data/temporary_directory.h"
#include "tests/runtime/snapshots/files/lock_start.h"

namespace negatron {
namespace {

using testing::elsewhere;
using testing::leave_lock;
using testing::lock_text;
using testing::LockStart;
using testing::quick;
using testing::says;
using testing::start_in;
using testing::TemporaryDirectory;
using Seconds = std::chrono::duration<double>;

TEST(DirectoryLease, AnOwnerOnAnotherKernelLivesAsLongAsItRenewsItsLease) {
  const TemporaryDirectory directory;
  LockOwner other = elsewhere({"17", "", 0});
  leave_lock(directory.path(), text_of(other));
  std::atomic<bool> ends = false;
  std::thread renewing([&] {
    while (!ends) {
      ++other.renewals;
      // In one call, as its owner would.
      const int file = ::open((directory / "lock").c_str(), O_WRONLY);
      const std::string text = text_of(other);
      EXPECT_EQ(::pwrite(file, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
      ::close(file);
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  });
  // The same job, from another of its hosts.
  const LockStart refused = start_in(directory.path(), this_owner({"17", "", 0}), quick());
  ends = true;
  renewing.join();
  EXPECT_TRUE(says(refused.refusal, "on host elsewhere, job 17")) << refused.refusal;
  EXPECT_TRUE(says(refused.refusal, "renewed")) << refused.refusal;
  // Now it is silent.
  LeaseOptions options = quick();
  std::string told;
  options.tell = [&](const std::string& sentence) { told += sentence; };
  const LockStart start = start_in(directory.path(), this_owner({"17", "", 0}), options);
  EXPECT_EQ(start.refusal, "");
  EXPECT_GE(start.seconds, 0.3);
  ASSERT_TRUE(start.lock);
  EXPECT_TRUE(says(start.lock->took_over(), "has not renewed its lease")) << start.lock->took_over();
  EXPECT_TRUE(says(told, "elsewhere") && says(told, "watched")) << told;
}

/// Holds the lock of a directory, as a server does for a host that is gone.
class HeldLock {
 public:
  explicit HeldLock(const std::filesystem::path& directory) : file_(::open((directory / "lock").c_str(), O_RDWR)) {
    EXPECT_EQ(::flock(file_, LOCK_EX), 0);
  }
  ~HeldLock() { ::close(file_); }

 private:
  int file_;
};

TEST(DirectoryLease, ALockThatAServerHoldsForAHostThatIsGoneIsWaitedFor) {
  const TemporaryDirectory directory;
  LeaseOptions options = quick();
  options.grace = Seconds(0.0);
  leave_lock(directory.path(), text_of(elsewhere({"16", "", 0})));
  std::optional<HeldLock> held(directory.path());
  // The server notices while the first lease is watched.
  options.tell = [&](const std::string&) { held.reset(); };
  const LockStart start = start_in(directory.path(), this_owner({"17", "", 0}), options);
  EXPECT_EQ(start.refusal, "");
  EXPECT_GE(start.seconds, 0.3);
  ASSERT_TRUE(start.lock);
  EXPECT_TRUE(says(start.lock->took_over(), "job 16") && says(start.lock->took_over(), "has not renewed its lease"))
      << start.lock->took_over();
}

TEST(DirectoryLease, ALockThatStaysHeldIsNeverTakenOver) {
  const TemporaryDirectory directory;
  LeaseOptions options = quick();
  options.grace = Seconds(0.0);
  const std::string text = text_of(elsewhere());
  leave_lock(directory.path(), text);
  const HeldLock held(directory.path());
  const LockStart start = start_in(directory.path(), this_owner({}), options);
  EXPECT_TRUE(says(start.refusal, "on host elsewhere") && says(start.refusal, "still holds")) << start.refusal;
  EXPECT_EQ(lock_text(directory.path()), text);
}

TEST(DirectoryLease, AJobThatSlurmBeganAgainDoesNotWaitForItsOwnLease) {
  const TemporaryDirectory directory;
  LockOwner before = elsewhere({"17", "0", 1});
  before.lease_seconds = 200.0;
  leave_lock(directory.path(), text_of(before));
  LeaseOptions options = quick();
  options.lease = Seconds(200.0);
  const LockStart start = start_in(directory.path(), this_owner({"17", "0", 2}), options);
  EXPECT_EQ(start.refusal, "");
  EXPECT_LT(start.seconds, 20.0);
  ASSERT_TRUE(start.lock);
  EXPECT_TRUE(says(start.lock->took_over(), "an earlier start of this job: taken over")) << start.lock->took_over();
}

TEST(DirectoryLease, RenewsWhatItWroteInItsPlace) {
  const TemporaryDirectory directory;
  const LockStart start = start_in(directory.path(), this_owner({}), quick());
  ASSERT_TRUE(start.lock);
  const std::string first = lock_text(directory.path());
  std::string later = first;
  while (later == first) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    later = lock_text(directory.path());
  }
  ASSERT_TRUE(parse_owner(later));
  EXPECT_GT(parse_owner(later)->renewals, 0);
  EXPECT_EQ(later.size(), first.size());
}

TEST(DirectoryLease, WhoWasTakenOverHearsOfItAndRemovesNothing) {
  const TemporaryDirectory directory;
  LockStart start = start_in(directory.path(), this_owner({}), quick());
  ASSERT_TRUE(start.lock);
  std::atomic<bool> is_lost = false;
  std::string sentence;
  start.lock->when_lost([&](const std::string& text) {
    sentence = text;
    is_lost = true;
  });
  // On a file system whose locks do not cross hosts another start writes its record over this one's.
  std::ofstream(directory / "lock", std::ios::in | std::ios::out) << text_of(elsewhere());
  while (!is_lost) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_TRUE(says(sentence, "was taken over by process") && says(sentence, "on host elsewhere")) << sentence;
  start.lock.reset();
  ASSERT_TRUE(parse_owner(lock_text(directory.path())));
  EXPECT_EQ(parse_owner(lock_text(directory.path()))->process.host, "elsewhere");
}

TEST(DirectoryLease, ARecordThatIsOverwrittenWhileItSettlesIsTheOthers) {
  const TemporaryDirectory directory;
  LeaseOptions options = quick();
  options.settle = Seconds(1.0);
  leave_lock(directory.path(), text_of(elsewhere()));
  std::thread other([&] {
    const std::string before = lock_text(directory.path());
    while (lock_text(directory.path()) == before) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    std::ofstream(directory / "lock", std::ios::in | std::ios::out) << text_of(elsewhere());
  });
  const LockStart start = start_in(directory.path(), this_owner({}), options);
  other.join();
  EXPECT_TRUE(says(start.refusal, "was taken by another run just now")) << start.refusal;
}

}  // namespace
}  // namespace negatron

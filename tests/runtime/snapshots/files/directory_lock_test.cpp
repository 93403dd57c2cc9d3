#include "runtime/snapshots/files/directory_lock.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "comm/threads/thread_communicator.h"
#include "runtime/snapshots/snapshot_error.h"
#include "tests/runtime/data/temporary_directory.h"

namespace negatron {
namespace {

namespace fs = std::filesystem;
using testing::TemporaryDirectory;
using Seconds = std::chrono::duration<double>;

/// What one start came to.
struct Start {
  std::unique_ptr<DirectoryLock> lock;
  /// Empty when it has the lock.
  std::string refusal;
  double seconds = 0.0;
};

Start start_in(const fs::path& directory, const LockOwner& owner = this_owner({}), const LeaseOptions& lease = {}) {
  Start start;
  run_ranks(1, {}, [&](Communicator& comm) {
    const auto begun = std::chrono::steady_clock::now();
    try {
      start.lock = std::make_unique<DirectoryLock>(comm, directory, owner, lease);
    } catch (const SnapshotError& error) {
      start.refusal = error.what();
    }
    start.seconds = Seconds(std::chrono::steady_clock::now() - begun).count();
  });
  return start;
}

std::string lock_text(const fs::path& directory) {
  std::ifstream file(directory / "lock");
  return {std::istreambuf_iterator<char>(file), {}};
}

void leave_lock(const fs::path& directory, const std::string& text) {
  std::ofstream(directory / "lock", std::ios::trunc) << text;
}

bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// One that waits no time that a test would notice.
LeaseOptions quick() {
  LeaseOptions options;
  options.lease = Seconds(0.3);
  options.renew_every = Seconds(0.02);
  options.settle = Seconds(0.05);
  return options;
}

/// A start of another kernel, whose processes nobody here can ask about.
LockOwner elsewhere(const SlurmStart& slurm = {}) {
  LockOwner owner = this_owner(slurm);
  owner.process.host = "elsewhere";
  owner.process.boot = "of another kernel";
  owner.kernel_lock = true;
  owner.lease_seconds = 0.3;
  return owner;
}

TEST(DirectoryLock, KeepsASecondRunOutOnAllRanksAndNamesTheOwner) {
  const TemporaryDirectory directory;
  run_ranks(2, CommunicatorOptions{.check = true}, [&](Communicator& comm) {
    const LockOwner me = this_owner({"17", "3", 0});
    {
      const DirectoryLock lock(comm, directory.path(), me);
      EXPECT_TRUE(lock.took_over().empty());
      try {
        // Another step of the same job, and one that Slurm began again: the kernel's word counts.
        const DirectoryLock second(comm, directory.path(), this_owner({"17", "4", 9}));
        ADD_FAILURE() << "two runs in one directory";
      } catch (const SnapshotError& error) {
        const std::string text = error.what();
        EXPECT_TRUE(says(text, "process " + std::to_string(::getpid()) + " on host " + me.process.host + ", job 17.3"))
            << text;
        EXPECT_TRUE(says(text, (directory / "lock").string())) << text;
      }
      comm.barrier();
      EXPECT_TRUE(fs::exists(directory / "lock"));
      comm.barrier();
    }
    comm.barrier();
    EXPECT_FALSE(fs::exists(directory / "lock"));
  });
}

TEST(DirectoryLock, OneThatNobodyHoldsIsTakenOverAtOnceWhateverItSays) {
  for (const std::string& text :
       {std::string(), std::string("{\"host\":5}"), std::string("{\"host\":\"a\",\"pid\":\"b\"}"),
        std::string("half a "), std::string("[1,2]"), std::string(1 << 20, 'x'), std::string(1000, '\0')}) {
    const TemporaryDirectory directory;
    leave_lock(directory.path(), text);
    const Start start = start_in(directory.path());
    EXPECT_EQ(start.refusal, "") << text.substr(0, 40);
    ASSERT_TRUE(start.lock);
    EXPECT_TRUE(says(start.lock->took_over(), "an owner that cannot be read")) << start.lock->took_over();
    EXPECT_LT(start.seconds, 10.0) << "nobody has to be waited for";
    EXPECT_TRUE(parse_owner(lock_text(directory.path()))) << "a whole record is there now";
  }
}

TEST(DirectoryLock, AProcessThatWasKilledHoldsNothingAlsoAsAZombie) {
  const TemporaryDirectory directory;
  const pid_t child = ::fork();
  if (child == 0) {
    LockOwner owner = this_owner({});
    LockFile::open_or_make(directory / "lock", [&](const LockFile& made) {
      owner.kernel_lock = made.held() == LockFile::Held::kByThis;
      owner.device = made.device();
      return text_of(owner);
    });
    ::_exit(0);
  }
  siginfo_t ended{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT), 0) << "it stays a zombie";
  EXPECT_EQ(::kill(child, 0), 0) << "which a pid alone calls alive";
  ProcessIdentity zombie = this_process();
  zombie.pid = child;
  zombie.began = 0;
  EXPECT_TRUE(has_ended(zombie));
  const Start start = start_in(directory.path());
  EXPECT_EQ(start.refusal, "");
  EXPECT_LT(start.seconds, 10.0);
  ASSERT_TRUE(start.lock);
  EXPECT_TRUE(says(start.lock->took_over(), "process " + std::to_string(child) + " on host"))
      << start.lock->took_over();
  EXPECT_TRUE(says(start.lock->took_over(), "which no longer runs: taken over")) << start.lock->took_over();
  ::waitpid(child, nullptr, 0);
}

TEST(DirectoryLock, OneWhoseHolderIsJustEndingIsWaitedFor) {
  const TemporaryDirectory directory;
  Start ending = start_in(directory.path());
  ASSERT_TRUE(ending.lock);
  std::thread ends([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    ending.lock.reset();
  });
  LeaseOptions options;
  options.grace = Seconds(30.0);
  const Start next = start_in(directory.path(), this_owner({}), options);
  ends.join();
  EXPECT_EQ(next.refusal, "");
}

TEST(DirectoryLock, OfTwoStartsAtOnceOneComesThrough) {
  constexpr int kStarts = 3, kTimes = 30;
  for (int time = 0; time < kTimes; ++time) {
    const TemporaryDirectory directory;
    if (time % 2 == 0) leave_lock(directory.path(), "left behind");
    std::atomic<int> owners = 0, most = 0, waiting = kStarts;
    std::vector<std::thread> starts;
    for (int i = 0; i < kStarts; ++i) {
      starts.emplace_back([&] {
        --waiting;
        while (waiting > 0) std::this_thread::yield();
        const Start start = start_in(directory.path());
        if (!start.lock) return;
        const int now = ++owners;
        if (now > most) most = now;
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        --owners;
      });
    }
    for (std::thread& start : starts) start.join();
    EXPECT_EQ(most, 1);
    EXPECT_FALSE(fs::exists(directory / "lock"));
    EXPECT_TRUE(fs::is_empty(directory.path())) << "nothing is left of those that were slower";
  }
}

TEST(DirectoryLock, AnOwnerOnAnotherKernelLivesAsLongAsItRenewsItsLease) {
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
  const Start refused = start_in(directory.path(), this_owner({"17", "", 0}), quick());
  ends = true;
  renewing.join();
  EXPECT_TRUE(says(refused.refusal, "on host elsewhere, job 17")) << refused.refusal;
  EXPECT_TRUE(says(refused.refusal, "renewed")) << refused.refusal;
  // Now it is silent.
  LeaseOptions options = quick();
  std::string told;
  options.tell = [&](const std::string& sentence) { told += sentence; };
  const Start start = start_in(directory.path(), this_owner({"17", "", 0}), options);
  EXPECT_EQ(start.refusal, "");
  EXPECT_GE(start.seconds, 0.3);
  ASSERT_TRUE(start.lock);
  EXPECT_TRUE(says(start.lock->took_over(), "has not renewed its lease")) << start.lock->took_over();
  EXPECT_TRUE(says(told, "elsewhere") && says(told, "watched")) << told;
}

TEST(DirectoryLock, AJobThatSlurmBeganAgainDoesNotWaitForItsOwnLease) {
  const TemporaryDirectory directory;
  LockOwner before = elsewhere({"17", "0", 1});
  before.lease_seconds = 200.0;
  leave_lock(directory.path(), text_of(before));
  LeaseOptions options = quick();
  options.lease = Seconds(200.0);
  const Start start = start_in(directory.path(), this_owner({"17", "0", 2}), options);
  EXPECT_EQ(start.refusal, "");
  EXPECT_LT(start.seconds, 20.0);
  ASSERT_TRUE(start.lock);
  EXPECT_TRUE(says(start.lock->took_over(), "an earlier start of this job: taken over")) << start.lock->took_over();
}

TEST(DirectoryLock, RenewsWhatItWroteInItsPlace) {
  const TemporaryDirectory directory;
  const Start start = start_in(directory.path(), this_owner({}), quick());
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

TEST(DirectoryLock, WhoWasTakenOverHearsOfItAndRemovesNothing) {
  const TemporaryDirectory directory;
  Start start = start_in(directory.path(), this_owner({}), quick());
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

TEST(DirectoryLock, ARecordThatIsOverwrittenWhileItSettlesIsTheOthers) {
  const TemporaryDirectory directory;
  LeaseOptions options = quick();
  options.settle = Seconds(1.0);
  leave_lock(directory.path(), text_of(elsewhere()));
  std::thread other([&] {
    const std::string before = lock_text(directory.path());
    while (lock_text(directory.path()) == before) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    std::ofstream(directory / "lock", std::ios::in | std::ios::out) << text_of(elsewhere());
  });
  const Start start = start_in(directory.path(), this_owner({}), options);
  other.join();
  EXPECT_TRUE(says(start.refusal, "was taken by another run just now")) << start.refusal;
}

TEST(DirectoryLock, OneOfAVersionThatRenewedNothingIsJudgedByItsProcess) {
  const ProcessIdentity me = this_process();
  const auto record = [](const std::string& host, std::int64_t pid, std::int64_t began) {
    return "{\"host\":\"" + host + "\",\"pid\":" + std::to_string(pid) + ",\"began\":" + std::to_string(began) +
           ",\"job_id\":\"\",\"since\":\"then\"}";
  };
  const auto refusal = [&](const std::string& text) {
    const TemporaryDirectory directory;
    leave_lock(directory.path(), text);
    return start_in(directory.path(), this_owner({}), quick()).refusal;
  };
  EXPECT_TRUE(says(refusal(record(me.host, me.pid, me.began)), "If that run is over, remove"));
  EXPECT_TRUE(says(refusal(record("elsewhere", 1, 1)), "If that run is over, remove"));
  EXPECT_EQ(refusal(record(me.host, me.pid, me.began + 1)), "") << "a later process has its pid";
}

TEST(DirectoryLock, WhatIsNoFileIsNamed) {
  const TemporaryDirectory directory;
  fs::create_directory(directory / "lock");
  EXPECT_TRUE(says(start_in(directory.path()).refusal, (directory / "lock").string()));
  fs::remove(directory / "lock");
  EXPECT_TRUE(says(start_in(directory / "gone").refusal, "No such file or directory"));
}

}  // namespace
}  // namespace negatron

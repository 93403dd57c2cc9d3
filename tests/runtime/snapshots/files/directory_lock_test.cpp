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
#include "tests/runtime/snapshots/files/lock_start.h"

namespace negatron {
namespace {

namespace fs = std::filesystem;
using testing::elsewhere;
using testing::leave_lock;
using testing::lock_text;
using testing::LockStart;
using testing::quick;
using testing::says;
using testing::start_in;
using testing::TemporaryDirectory;
using Seconds = std::chrono::duration<double>;

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
    const LockStart start = start_in(directory.path());
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
  const LockStart start = start_in(directory.path());
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
  LockStart ending = start_in(directory.path());
  ASSERT_TRUE(ending.lock);
  std::thread ends([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    ending.lock.reset();
  });
  LeaseOptions options;
  options.grace = Seconds(30.0);
  const LockStart next = start_in(directory.path(), this_owner({}), options);
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
        const LockStart start = start_in(directory.path());
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

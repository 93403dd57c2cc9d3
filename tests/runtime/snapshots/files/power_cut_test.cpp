#include <atomic>
#include <cerrno>

#include <gtest/gtest.h>

#include "comm/threads/thread_communicator.h"
#include "tests/runtime/data/temporary_directory.h"
#include "tests/runtime/snapshots/files/lossy_file_layer.h"
#include "tests/runtime/snapshots/saved_run.h"

namespace negatron {
namespace {

namespace fs = std::filesystem;
using testing::Loss;
using testing::LossyFileLayer;
using testing::SmallRun;
using testing::TemporaryDirectory;

constexpr int kWriters = 2;
constexpr std::int64_t kFirst = 4;
constexpr std::int64_t kSecond = 8;

/// The step that a power cut now would leave.
std::int64_t left_after_cut(const SmallRun& run, const LossyFileLayer& files, Loss loss, unsigned seed) {
  const TemporaryDirectory survivor;
  files.power_cut(survivor.path(), loss, seed);
  PosixFileLayer real;
  return testing::restored_step(run, real, survivor.path(), kWriters);
}

SnapshotOptions small_blocks() {
  SnapshotOptions options;
  options.block_bytes = 256;
  return options;
}

TEST(PowerCut, LosesNothingThatWasReported) {
  const SmallRun run;
  const TemporaryDirectory directory;
  LossyFileLayer files(directory.path());
  for (const std::int64_t steps : {kFirst, kSecond, 12L, 16L}) {
    ASSERT_EQ(testing::save(run, files, directory.path(), steps, kWriters, small_blocks()).state,
              SaveState::kCommitted);
    EXPECT_EQ(left_after_cut(run, files, Loss::kAllUnsynced, 0), steps);
  }
}

TEST(PowerCut, EveryFsyncIsNeeded) {
  const SmallRun run;
  int syncs = 0;
  {
    const TemporaryDirectory directory;
    LossyFileLayer files(directory.path());
    ASSERT_EQ(testing::save(run, files, directory.path(), kFirst, kWriters).state, SaveState::kCommitted);
    syncs = files.syncs();
  }
  // Two shards, trainer.h5, bank.h5, the manifest, and three directories.
  EXPECT_EQ(syncs, 8);
  for (int ignored = 1; ignored <= syncs; ++ignored) {
    const TemporaryDirectory directory;
    LossyFileLayer files(directory.path());
    files.ignore_sync(ignored);
    ASSERT_EQ(testing::save(run, files, directory.path(), kFirst, kWriters).state, SaveState::kCommitted);
    EXPECT_EQ(left_after_cut(run, files, Loss::kAllUnsynced, 0), -1) << "fsync " << ignored << " is not needed";
  }
}

TEST(PowerCut, AtAnyStageLeavesTheLastOrTheNewSnapshot) {
  constexpr unsigned kSeeds = 6;
  const SmallRun run;
  // Blocks are many.
  constexpr int kEveryBlock = 9;
  std::atomic<int> left_old = 0;
  std::atomic<int> left_new = 0;
  for (const char* stage : {"open", "data", "flush", "fsync", "verify", "manifest", "rename", "publish", "prune"}) {
    const TemporaryDirectory directory;
    LossyFileLayer files(directory.path());
    ASSERT_EQ(testing::save(run, files, directory.path(), kFirst, kWriters).state, SaveState::kCommitted);
    SnapshotOptions options = small_blocks();
    std::atomic<int> blocks = 0;
    options.at_save_point = [&](std::string_view reached) {
      if (reached != stage || (reached == "data" && ++blocks % kEveryBlock != 1)) return;
      for (const Loss loss : {Loss::kAllUnsynced, Loss::kSomeUnsynced}) {
        for (unsigned seed = 0; seed < kSeeds; ++seed) {
          const std::int64_t step = left_after_cut(run, files, loss, seed);
          EXPECT_TRUE(step == kFirst || step == kSecond) << "at " << stage << " step " << step;
          ++(step == kSecond ? left_new : left_old);
        }
      }
    };
    EXPECT_EQ(testing::save(run, files, directory.path(), kSecond, kWriters, options).state, SaveState::kCommitted);
  }
  EXPECT_GT(left_old, 0);
  EXPECT_GT(left_new, 0);
}

/// Every n-th call of a save fails in turn; returns how many calls a save makes.
int fail_each_call(int error_number, int times) {
  const SmallRun run;
  int n = 1;
  for (bool failed = true; failed; ++n) {
    const TemporaryDirectory directory;
    LossyFileLayer files(directory.path());
    EXPECT_EQ(testing::save(run, files, directory.path(), kFirst, kWriters, small_blocks()).state,
              SaveState::kCommitted);
    std::string reason;
    failed = false;
    run_ranks(kWriters, CommunicatorOptions{.check = true}, [&](Communicator& comm) {
      Bank bank = run.bank(comm.rank(), comm.size());
      run.train(bank, 0, kSecond);
      SnapshotStore store(files, directory.path(), small_blocks());
      if (comm.rank() == 0) files.fail_call(n, error_number, times);
      comm.barrier();
      std::string own;
      bool committed = false;
      try {
        EXPECT_TRUE(store.start_save(comm, kSecond, run.state(kSecond), {{&bank}}));
        const SaveReport report = store.finish(comm);
        committed = report.state == SaveState::kCommitted;
        own = report.problem;
      } catch (const SnapshotError& error) {
        own = error.what();
      }
      // The same on all ranks.
      comm.agree("the outcome of a failing save", own);
      comm.agree("the success of a failing save", committed ? "1" : "0");
      comm.barrier();
      if (comm.rank() != 0) return;
      // Training can go on, and the next save may work.
      EXPECT_FALSE(store.saving());
      failed = !own.empty();
      if (!committed) {
        EXPECT_NE(own.find("Could not "), std::string::npos) << own;
      }
      reason = own;
      files.fail_call(0, 0, 0);
    });
    const std::int64_t step = testing::restored_step(run, files, directory.path(), kWriters);
    EXPECT_TRUE(step == kFirst || step == kSecond) << "call " << n << ": " << reason;
    // A disk that refuses everything also refuses to take a name back.
    const std::int64_t left = left_after_cut(run, files, Loss::kAllUnsynced, 0);
    EXPECT_TRUE(left == step || (times > 1 && left == kFirst)) << "call " << n << ": " << reason;
    EXPECT_EQ(testing::save(run, files, directory.path(), 12, kWriters).state, SaveState::kCommitted);
  }
  return n;
}

TEST(FailingDisk, AnyCallThatFailsOnceFailsTheSaveOnAllRanks) {
  EXPECT_GT(fail_each_call(EIO, 1), 30);
}

TEST(FailingDisk, ADiskThatStaysFullFailsTheSaveOnAllRanks) {
  EXPECT_GT(fail_each_call(ENOSPC, 1 << 20), 30);
}

TEST(FailingDisk, AFailedFsyncIsNotTriedAgain) {
  const SmallRun run;
  for (int n = 1; n <= 8; ++n) {
    const TemporaryDirectory directory;
    LossyFileLayer files(directory.path());
    files.fail_sync(n);
    const SaveReport report = testing::save(run, files, directory.path(), kFirst, kWriters);
    EXPECT_EQ(report.state, SaveState::kFailed) << "fsync " << n;
    EXPECT_NE(report.problem.find("fsync"), std::string::npos) << report.problem;
    EXPECT_EQ(testing::restored_step(run, files, directory.path(), kWriters), -1) << "fsync " << n;
  }
}

/// Short and interrupted calls.
namespace calls {

int counter = 0;

ssize_t write(int file, const void* bytes, std::size_t size) {
  if (++counter % 3 == 0) {
    errno = EINTR;
    return -1;
  }
  return system_calls().write(file, bytes, std::min<std::size_t>(size, 7));
}

ssize_t pread(int file, void* bytes, std::size_t size, off_t offset) {
  if (++counter % 3 == 0) {
    errno = EINTR;
    return -1;
  }
  return system_calls().pread(file, bytes, std::min<std::size_t>(size, 11), offset);
}

int fsync(int) {
  errno = EINTR;
  return -1;
}

}  // namespace calls

TEST(PosixFileLayer, ContinuesShortAndInterruptedCalls) {
  const TemporaryDirectory directory;
  PosixFileLayer files(PosixCalls{calls::write, calls::pread, system_calls().fsync});
  std::string text(1000, 'x');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + i % 26);
  write_text(files, directory / "file", text);
  EXPECT_EQ(read_text(files, directory / "file", 1000), text);
  EXPECT_THROW(read_text(files, directory / "file", 999), SnapshotError);
  EXPECT_THROW(write_text(files, directory / "file", text), FileError) << "an old file was overwritten";
}

TEST(PosixFileLayer, AnInterruptedFsyncIsAFailure) {
  const TemporaryDirectory directory;
  PosixFileLayer files(PosixCalls{system_calls().write, system_calls().pread, calls::fsync});
  EXPECT_THROW(write_text(files, directory / "file", "text"), FileError);
  EXPECT_THROW(files.sync_directory(directory.path()), FileError);
}

}  // namespace
}  // namespace negatron

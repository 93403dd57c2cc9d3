#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "comm/threads/thread_communicator.h"
#include "runtime/snapshots/files/digested_file.h"
#include "runtime/snapshots/files/posix_file_layer.h"
#include "runtime/snapshots/hdf5/write_hdf5.h"
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

constexpr int kSavingRanks = 2;

TEST(Commit, WaitsForTheSlowestRank) {
  constexpr int kPolls = 30;
  const SmallRun run;
  PosixFileLayer files;
  for (const char* stage : {"open", "data", "fsync", "verify"}) {
    const TemporaryDirectory directory;
    std::atomic<bool> may_go_on = false;
    run_ranks(kSavingRanks, CommunicatorOptions{.check = true}, [&](Communicator& comm) {
      SnapshotOptions options;
      options.at_save_point = [&, rank = comm.rank()](std::string_view reached) {
        while (rank == 1 && reached == stage && !may_go_on) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      };
      Bank bank = run.bank(comm.rank(), comm.size());
      run.train(bank, 0, 4);
      SnapshotStore store(files, directory.path(), options);
      ASSERT_TRUE(store.start_save(comm, 4, run.state(4), {{&bank}}));
      for (int i = 0; i < kPolls; ++i) {
        EXPECT_EQ(store.poll(comm).state, SaveState::kRunning);
        EXPECT_FALSE(fs::exists(directory / ("snapshots/" + step_name(4)))) << "committed while a rank is at " << stage;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      comm.barrier();
      may_go_on = true;
      EXPECT_EQ(store.finish(comm).state, SaveState::kCommitted);
    });
    EXPECT_EQ(testing::restored_step(run, files, directory.path(), kSavingRanks), 4);
  }
}

/// A file system that takes its time for new directories.
class SlowDirectories : public PosixFileLayer {
 public:
  void make_directory(const fs::path& path) override {
    while (!may_go_on_) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    PosixFileLayer::make_directory(path);
  }
  void go_on() { may_go_on_ = true; }

 private:
  std::atomic<bool> may_go_on_ = false;
};

TEST(Commit, NobodyWhoTrainsWaitsForADirectory) {
  const SmallRun run;
  const TemporaryDirectory directory;
  SlowDirectories files;
  run_ranks(kSavingRanks, CommunicatorOptions{.check = true}, [&](Communicator& comm) {
    Bank bank = run.bank(comm.rank(), comm.size());
    run.train(bank, 0, 4);
    SnapshotStore store(files, directory.path(), {});
    ASSERT_TRUE(store.start_save(comm, 4, run.state(4), {{&bank}}));
    EXPECT_EQ(store.poll(comm).state, SaveState::kRunning);
    comm.barrier();
    files.go_on();
    EXPECT_EQ(store.finish(comm).state, SaveState::kCommitted);
  });
  EXPECT_EQ(testing::restored_step(run, files, directory.path(), kSavingRanks), 4);
}

TEST(Commit, SavingAStepOnceMoreLosesItAtNoMoment) {
  constexpr unsigned kSeeds = 8;
  const SmallRun run;
  PosixFileLayer real;
  int looks = 0;
  for (const char* stage : {"manifest", "replace", "rename", "publish", "prune"}) {
    const TemporaryDirectory directory;
    LossyFileLayer files(directory.path());
    ASSERT_EQ(testing::save(run, files, directory.path(), 4, kSavingRanks).state, SaveState::kCommitted);
    SnapshotOptions options;
    options.at_save_point = [&](std::string_view reached) {
      if (reached != stage) return;
      for (unsigned seed = 0; seed < kSeeds; ++seed) {
        const TemporaryDirectory survivor;
        files.power_cut(survivor.path(), seed % 2 == 0 ? Loss::kSomeUnsynced : Loss::kAllUnsynced, seed);
        std::vector<std::string> quarantined;
        EXPECT_EQ(testing::restored_step(run, real, survivor.path(), kSavingRanks, &quarantined), 4) << "at " << stage;
        EXPECT_TRUE(quarantined.empty()) << quarantined.front();
        // And what it left does not stand in the way of the next.
        EXPECT_EQ(testing::save(run, real, survivor.path(), 4, 1).state, SaveState::kCommitted);
        EXPECT_EQ(real.list(survivor / "snapshots"), std::vector<std::string>{step_name(4)});
        ++looks;
      }
    };
    ASSERT_EQ(testing::save(run, files, directory.path(), 4, kSavingRanks, options).state, SaveState::kCommitted);
    EXPECT_EQ(files.list(directory / "snapshots"), std::vector<std::string>{step_name(4)});
  }
  EXPECT_GE(looks, 5 * static_cast<int>(kSeeds));
}

TEST(Commit, AStepThatCannotBeReplacedStaysAsItWas) {
  const SmallRun run;
  for (const char* stage : {"replace", "rename", "publish"}) {
    const TemporaryDirectory directory;
    PosixFileLayer files;
    ASSERT_EQ(testing::save(run, files, directory.path(), 4, kSavingRanks).state, SaveState::kCommitted);
    SnapshotOptions options;
    options.at_save_point = [&](std::string_view reached) {
      if (reached == stage) throw std::runtime_error("failed on purpose");
    };
    const SaveReport report = testing::save(run, files, directory.path(), 4, kSavingRanks, options);
    EXPECT_EQ(report.state, SaveState::kFailed);
    EXPECT_NE(report.problem.find("failed on purpose"), std::string::npos) << report.problem;
    EXPECT_EQ(testing::restored_step(run, files, directory.path(), kSavingRanks), 4) << stage;
    EXPECT_EQ(files.list(directory / "snapshots"), std::vector<std::string>{step_name(4)}) << stage;
  }
}

// A name that its directory may forget in a power cut must not be found before it either.
TEST(Commit, ANewStepThatCannotBePublishedIsNotFound) {
  const SmallRun run;
  for (const char* stage : {"rename", "publish"}) {
    const TemporaryDirectory directory;
    PosixFileLayer files;
    ASSERT_EQ(testing::save(run, files, directory.path(), 4, kSavingRanks).state, SaveState::kCommitted);
    SnapshotOptions options;
    options.at_save_point = [&](std::string_view reached) {
      if (reached == stage) throw std::runtime_error("failed on purpose");
    };
    EXPECT_EQ(testing::save(run, files, directory.path(), 8, kSavingRanks, options).state, SaveState::kFailed);
    EXPECT_FALSE(files.exists(directory / "snapshots" / step_name(8))) << stage;
    EXPECT_EQ(testing::restored_step(run, files, directory.path(), kSavingRanks), 4) << stage;
    EXPECT_EQ(testing::save(run, files, directory.path(), 8, kSavingRanks).state, SaveState::kCommitted) << stage;
    EXPECT_EQ(testing::restored_step(run, files, directory.path(), kSavingRanks), 8) << stage;
  }
}

TEST(Commit, APowerCutAfterAPruneLeavesNoHalves) {
  constexpr unsigned kSeeds = 24;
  const SmallRun run;
  const TemporaryDirectory directory;
  LossyFileLayer files(directory.path());
  for (const std::int64_t step : {4, 8, 12, 16}) {
    ASSERT_EQ(testing::save(run, files, directory.path(), step, kSavingRanks).state, SaveState::kCommitted);
  }
  PosixFileLayer real;
  for (unsigned seed = 0; seed < kSeeds; ++seed) {
    const TemporaryDirectory survivor;
    files.power_cut(survivor.path(), Loss::kSomeUnsynced, seed);
    for (const SnapshotEntry& entry : list_snapshots(real, survivor / "snapshots")) {
      const std::vector<std::string> problems = verify_snapshot(real, entry.path, 1 << 20);
      EXPECT_TRUE(problems.empty()) << "seed " << seed << ": " << problems.front();
    }
  }
}

TEST(Commit, WritingEndsWhenTheSaveIsGivenUp) {
  constexpr std::int64_t kBytes = 100000;
  const TemporaryDirectory directory;
  PosixFileLayer files;
  int blocks = 0;
  FileWriting writing;
  writing.block_bytes = 100;
  writing.pace = std::make_shared<WriterPace>();
  writing.at_save_point = [&](std::string_view stage) {
    if (stage == "data" && ++blocks == 5) writing.pace->give_up();
  };
  Hdf5Layout plan;
  const std::vector<std::byte> ones(kBytes, std::byte{1});
  plan.datasets.push_back(
      {"rows", at::kByte, {kBytes}, false, [&](std::size_t count) { return std::span(ones).first(count); }});
  EXPECT_THROW(write_hdf5(files, directory / "file", plan, writing), SnapshotError);
  EXPECT_EQ(blocks, 5);
}

TEST(Commit, ReadingBackEndsWhenTheSaveIsGivenUp) {
  const TemporaryDirectory directory;
  PosixFileLayer files;
  const std::string text(1000, 'x');
  FileWriting writing;
  writing.block_bytes = 10;
  writing.pace = std::make_shared<WriterPace>();
  writing.at_save_point = [&](std::string_view stage) {
    if (stage == "verify") writing.pace->give_up();
  };
  EXPECT_THROW(write_bytes(files, directory / "file", std::as_bytes(std::span(text)), writing), SnapshotError);
  EXPECT_EQ(fs::file_size(directory / "file"), text.size()) << "it was written, only not read";
}

TEST(Commit, TwoHundredSavesTakeTheSpaceOfTwo) {
  const SmallRun run;
  // Nothing here depends on the disk, which would be most of the time.
  PosixFileLayer files(PosixCalls{system_calls().write, system_calls().pread, [](int) { return 0; }});
  const TemporaryDirectory directory;
  std::uintmax_t most = 0;
  Bank bank = run.bank(0, 1);
  run_ranks(1, {}, [&](Communicator& comm) {
    SnapshotStore store(files, directory.path(), {});
    for (std::int64_t step = 1; step <= 200; ++step) {
      run.train(bank, step - 1, step);
      ASSERT_TRUE(store.start_save(comm, step, run.state(step), {{&bank}}));
      ASSERT_EQ(store.finish(comm).state, SaveState::kCommitted);
      std::uintmax_t bytes = 0;
      for (const auto& entry : fs::recursive_directory_iterator(directory.path())) {
        if (entry.is_regular_file()) bytes += entry.file_size();
      }
      // By then the bank holds no key of the start any more.
      if (step == 10) most = bytes;
      if (step > 10) {
        ASSERT_LE(bytes, most + most / 10) << "step " << step;
      }
    }
  });
  EXPECT_EQ(files.list(directory / "snapshots").size(), 2U);
  EXPECT_EQ(testing::restored_step(run, files, directory.path(), 1), 200);
}

TEST(Commit, PruningNeverReachesThroughALink) {
  const SmallRun run;
  PosixFileLayer files;
  const TemporaryDirectory directory;
  ASSERT_EQ(testing::save(run, files, directory.path(), 1, 1).state, SaveState::kCommitted);
  // Someone moved an old snapshot to another disk.
  const fs::path moved = directory / "elsewhere";
  fs::rename(directory / ("snapshots/" + step_name(1)), moved);
  fs::create_directory_symlink(moved, directory / ("snapshots/" + step_name(1)));
  for (const std::int64_t step : {2, 3}) {
    ASSERT_EQ(testing::save(run, files, directory.path(), step, 1).state, SaveState::kCommitted);
  }
  EXPECT_FALSE(fs::exists(fs::symlink_status(directory / ("snapshots/" + step_name(1)))));
  EXPECT_TRUE(verify_snapshot(files, moved, 1 << 20).empty());
}

}  // namespace
}  // namespace negatron

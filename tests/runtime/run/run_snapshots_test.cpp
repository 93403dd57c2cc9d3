#include "runtime/run/run_snapshots.h"

#include <condition_variable>
#include <mutex>

#include <gtest/gtest.h>

#include "comm/threads/thread_communicator.h"
#include "runtime/snapshots/files/posix_file_layer.h"
#include "tests/runtime/data/temporary_directory.h"
#include "tests/runtime/training/small_training.h"

namespace negatron::testing {
namespace {

using Outcome = SnapshotMetrics::Outcome;

std::vector<std::int64_t> steps_saved(const std::filesystem::path& run_directory) {
  std::vector<std::int64_t> steps;
  for (const SnapshotEntry& entry : list_snapshots(PosixFileLayer(), run_directory / "snapshots")) {
    steps.push_back(entry.step);
  }
  return steps;
}

TrainerState some_state() {
  TrainerState state;
  state.tensors = {{"weight", at::ones({3})}};
  return state;
}

PretrainOptions short_options() {
  PretrainOptions options = small_options("info-nce");
  options.epochs = 2;
  options.knn_k = 5;
  options.baselines = false;
  options.evaluate_every = 0;
  return options;
}

TEST(SnapshotSettings, IntervalsAreReadOrRefusedByName) {
  using Unit = RunInterval::Unit;
  const auto expect = [](const char* text, Unit unit, std::int64_t count) {
    EXPECT_EQ(parse_snapshot_interval(text).unit, unit) << text;
    EXPECT_EQ(parse_snapshot_interval(text).count, count) << text;
    EXPECT_EQ(parse_snapshot_interval(text_of(parse_snapshot_interval(text))).unit, unit) << text;
    EXPECT_EQ(parse_snapshot_interval(text_of(parse_snapshot_interval(text))).count, count) << text;
  };
  expect("500", Unit::kSteps, 500);
  expect("1step", Unit::kSteps, 1);
  expect("2epochs", Unit::kEpochs, 2);
  expect("10min", Unit::kMinutes, 10);
  expect("never", Unit::kNever, 1);
  for (const char* wrong : {"", "0", "-1epochs", "epoch", "5 min", "1h", "1.5epochs", "99999999999999999999"}) {
    try {
      parse_snapshot_interval(wrong);
      ADD_FAILURE() << "'" << wrong << "' was taken";
    } catch (const std::invalid_argument& error) {
      EXPECT_NE(std::string(error.what()).find("--snapshot-every is '" + std::string(wrong)), std::string::npos);
    }
  }
  SnapshotSettings settings;
  settings.keep = 1;
  EXPECT_THROW(settings.validate(), std::invalid_argument);
}

/// The steps at which a run of 2 epochs of 5 steps saves; each save has ended before the next step.
std::vector<std::int64_t> steps_begun(const SnapshotSettings& settings, const std::filesystem::path& run_directory) {
  std::vector<std::int64_t> begun;
  run_ranks(2, CommunicatorOptions{.check = true}, [&](Communicator& comm) {
    PosixFileLayer files;
    RunSnapshots snapshots(comm, files, run_directory, settings, nullptr);
    const auto note = [&](const std::vector<SnapshotMetrics>& told) {
      for (const SnapshotMetrics& one : told) {
        EXPECT_EQ(one.outcome, Outcome::kCommitted) << one.problem;
        if (comm.rank() == 0) begun.push_back(one.step);
      }
    };
    for (std::int64_t step = 1; step <= 10; ++step) {
      note(snapshots.after_step({}, step, step % 5 == 0 ? step / 5 : -1, some_state, {}));
      note(snapshots.finish());
    }
    note(snapshots.save_last(10, false, some_state, {}));
    note(snapshots.finish());
  });
  return begun;
}

TEST(RunSnapshots, AreMadeAtTheStepsAskedForAndAtTheEndAndOldOnesGo) {
  using Steps = std::vector<std::int64_t>;
  const TemporaryDirectory folder;
  for (const char* name : {"steps", "epochs", "never"}) std::filesystem::create_directory(folder / name);
  SnapshotSettings settings;
  settings.every = parse_snapshot_interval("3");
  settings.keep_every = 3;
  EXPECT_EQ(steps_begun(settings, folder / "steps"), (Steps{3, 6, 9, 10}));
  EXPECT_EQ(steps_saved(folder / "steps"), (Steps{10, 9, 6, 3}));
  settings.keep_every = 0;
  settings.every = parse_snapshot_interval("1epoch");
  EXPECT_EQ(steps_begun(settings, folder / "epochs"), (Steps{5, 10}));
  settings.every = parse_snapshot_interval("2");
  EXPECT_EQ(steps_begun(settings, folder / "epochs"), (Steps{2, 4, 6, 8, 10}));
  EXPECT_EQ(steps_saved(folder / "epochs"), (Steps{10, 8}));
  settings.every = parse_snapshot_interval("never");
  EXPECT_EQ(steps_begun(settings, folder / "never"), Steps{});
  EXPECT_EQ(steps_saved(folder / "never"), Steps{});
}

TEST(RunSnapshots, ASignalThatReachesOneRankMovesAllOfThem) {
  const TemporaryDirectory folder;
  SmallStart start;
  start.options = short_options();
  start.options.snapshots.every = parse_snapshot_interval("never");
  start.ranks = 3;
  start.signalled_rank = 1;

  start.run_directory = folder / "exit";
  const PretrainSummary left = run(start);
  EXPECT_EQ(left.end, RunEnd::kRequeue);
  EXPECT_TRUE(left.saved);
  EXPECT_EQ(left.steps_done, 1);
  EXPECT_EQ(steps_saved(start.run_directory), std::vector<std::int64_t>{1});

  start.options.snapshots.leaves_on_usr1 = false;
  start.run_directory = folder / "continue";
  const PretrainSummary done = run(start);
  EXPECT_EQ(done.end, RunEnd::kDone);
  EXPECT_EQ(done.steps_done, 10);
  EXPECT_EQ(steps_saved(start.run_directory), std::vector<std::int64_t>{1});

  // Ctrl-C leaves where SIGUSR1 would go on.
  start.leave = true;
  start.run_directory = folder / "leave";
  const PretrainSummary interrupted = run(start);
  EXPECT_EQ(interrupted.end, RunEnd::kRequeue);
  EXPECT_EQ(interrupted.steps_done, 1);
  EXPECT_EQ(steps_saved(start.run_directory), std::vector<std::int64_t>{1});
  EXPECT_EQ(newest_saved(start.run_directory).trainer.text_of("version"), "negatron of this test");

  // And so does SIGTERM, which all ranks know of, rank 0 too.
  start.terminated = true;
  start.run_directory = folder / "terminated";
  const PretrainSummary terminated = run(start);
  EXPECT_EQ(terminated.end, RunEnd::kTerminated);
  EXPECT_EQ(terminated.steps_done, 1);
  EXPECT_EQ(steps_saved(start.run_directory), std::vector<std::int64_t>{1});

  start.options.snapshots.every = parse_snapshot_interval("1");
  start.stop = true;
  start.run_directory = folder / "stop";
  const PretrainSummary stopped = run(start);
  EXPECT_EQ(stopped.end, RunEnd::kStopped);
  EXPECT_EQ(stopped.steps_done, 1);
  EXPECT_EQ(steps_saved(start.run_directory), std::vector<std::int64_t>{});
}

TEST(RunSnapshots, MinutesAreThoseOfRank0) {
  const TemporaryDirectory folder;
  run_ranks(2, CommunicatorOptions{.check = true}, [&](Communicator& comm) {
    PosixFileLayer files;
    SnapshotSettings settings;
    settings.every = parse_snapshot_interval("10min");
    std::chrono::steady_clock::time_point now{};
    RunSnapshots snapshots(comm, files, folder.path(), settings, nullptr, [&] { return now; });
    EXPECT_FALSE(snapshots.wishes().snapshot);
    // The clock of rank 1 runs ahead and is not looked at.
    now += std::chrono::minutes(comm.rank() == 0 ? 9 : 90);
    EXPECT_FALSE(snapshots.wishes().snapshot);
    now += std::chrono::minutes(1);
    EXPECT_EQ(snapshots.wishes().snapshot, comm.rank() == 0);
    snapshots.after_step({.snapshot = true}, 7, -1, some_state, {});
    EXPECT_FALSE(snapshots.wishes().snapshot) << "the interval begins anew with a snapshot";
    const auto told = snapshots.finish();
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0].outcome, Outcome::kCommitted);
    EXPECT_EQ(told[0].step, 7);
  });
}

TEST(RunSnapshots, OutsideStepsASaveEndsAndAnyRanksSignalIsEverybodys) {
  const TemporaryDirectory folder;
  run_ranks(3, CommunicatorOptions{.check = true}, [&](Communicator& comm) {
    PosixFileLayer files;
    SnapshotSettings settings;
    settings.every = parse_snapshot_interval("100");
    RunSignals signals;
    RunSnapshots snapshots(comm, files, folder.path(), settings, &signals);
    EXPECT_TRUE(snapshots.save_last(7, false, some_state, {}).empty());
    StepWishes agreed;
    std::vector<SnapshotMetrics> told;
    // As many as the save needs; the same number on every rank.
    while (told.empty()) told = snapshots.outside_steps(agreed, 7, some_state, {});
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0].outcome, Outcome::kCommitted);
    EXPECT_EQ(told[0].step, 7);
    EXPECT_FALSE(agreed.leave || agreed.stop || agreed.snapshot);
    if (comm.rank() == 1) signals.snapshot.store(true);
    snapshots.outside_steps(agreed, 7, some_state, {});
    EXPECT_TRUE(agreed.leave);
    EXPECT_FALSE(agreed.stop);
  });
  EXPECT_EQ(steps_saved(folder.path()), std::vector<std::int64_t>{7});
}

/// Fails, or holds, what would make a new file.
class StubbornFiles : public PosixFileLayer {
 public:
  std::unique_ptr<OutputFile> create(const std::filesystem::path& path) override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !held_; });
    if (full_) throw FileError("write", path, ENOSPC);
    return PosixFileLayer::create(path);
  }
  void set(bool held, bool full) {
    const std::lock_guard lock(mutex_);
    held_ = held;
    full_ = full;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false;
  bool full_ = false;
};

TEST(RunSnapshots, OneThatCannotKeepUpIsReportedAndMadeAsSoonAsItCan) {
  const TemporaryDirectory folder;
  StubbornFiles files;
  files.set(/*held=*/true, false);
  run_ranks(2, CommunicatorOptions{.check = true}, [&](Communicator& comm) {
    SnapshotSettings settings;
    settings.every = parse_snapshot_interval("2");
    RunSnapshots snapshots(comm, files, folder.path(), settings, nullptr);
    const auto after = [&](std::int64_t step) { return snapshots.after_step({}, step, -1, some_state, {}); };
    EXPECT_TRUE(after(1).empty());
    EXPECT_TRUE(after(2).empty());
    EXPECT_TRUE(after(3).empty());
    const auto late = after(4);
    ASSERT_EQ(late.size(), 1U);
    EXPECT_EQ(late[0].outcome, Outcome::kLate);
    EXPECT_EQ(late[0].step, 4);
    EXPECT_TRUE(after(5).empty()) << "it is told once";
    comm.barrier();
    if (comm.rank() == 0) files.set(false, false);
    const auto first = snapshots.finish();
    ASSERT_EQ(first.size(), 1U);
    EXPECT_EQ(first[0].step, 2);
    EXPECT_TRUE(after(7).empty());
    const auto second = snapshots.finish();
    ASSERT_EQ(second.size(), 1U);
    EXPECT_EQ(second[0].outcome, Outcome::kCommitted);
    EXPECT_EQ(second[0].step, 7) << "the one that was due begins at the first step that it can";
  });
}

TEST(RunSnapshots, AFullDiskIsToldOnAllRanksAndTheRunGoesOn) {
  const TemporaryDirectory folder;
  StubbornFiles files;
  run_ranks(3, CommunicatorOptions{.check = true}, [&](Communicator& comm) {
    SnapshotSettings settings;
    settings.every = parse_snapshot_interval("1");
    RunSnapshots snapshots(comm, files, folder.path(), settings, nullptr);
    const auto save = [&](std::int64_t step) {
      snapshots.after_step({}, step, -1, some_state, {});
      return snapshots.finish();
    };
    EXPECT_EQ(save(1).at(0).outcome, Outcome::kCommitted);
    comm.barrier();
    if (comm.rank() == 0) files.set(false, /*full=*/true);
    comm.barrier();
    const auto failed = save(2);
    ASSERT_EQ(failed.size(), 1U);
    EXPECT_EQ(failed[0].outcome, Outcome::kFailed);
    EXPECT_NE(failed[0].problem.find("No space left on device"), std::string::npos) << failed[0].problem;
    EXPECT_FALSE(snapshots.saved());
    comm.barrier();
    if (comm.rank() == 0) files.set(false, false);
    comm.barrier();
    // What failed at this very step is tried again when the run leaves.
    EXPECT_TRUE(snapshots.save_last(2, false, some_state, {}).empty());
    EXPECT_EQ(snapshots.finish().at(0).outcome, Outcome::kCommitted);
    EXPECT_TRUE(snapshots.saved());
  });
  EXPECT_EQ(steps_saved(folder.path()), (std::vector<std::int64_t>{2, 1}));
}

}  // namespace
}  // namespace negatron::testing

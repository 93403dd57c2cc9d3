#include <thread>

#include <gtest/gtest.h>

#include "comm/threads/thread_communicator.h"
#include "runtime/snapshots/files/posix_file_layer.h"
#include "tests/runtime/data/temporary_directory.h"
#include "tests/runtime/snapshots/saved_run.h"

namespace negatron {
namespace {

using testing::SmallRun;
using testing::TemporaryDirectory;

const CommunicatorOptions kChecked{.check = true};

/// Rows that do not divide, holes, an empty shard, a bank that is not full, one key.
std::vector<SmallRun> hard_runs() {
  return {{23, 5, at::kFloat, BankFill::kRandom, {6}},
          {23, 5, at::kFloat, BankFill::kEmpty, {6, 2, 5, 1}},
          {40, 4, at::kDouble, BankFill::kEmpty, {3}},
          {7, 3, at::kBFloat16, BankFill::kRandom, {2, 9}},
          {16, 8, at::kHalf, BankFill::kRandom, {4}},
          {1, 2, at::kFloat, BankFill::kRandom, {3}},
          {23, 5, at::kBFloat16, BankFill::kEmpty, {6, 2}, RowLength::kAsMade},
          {23, 7, at::kFloat, BankFill::kRandom, {6, 2}, RowLength::kDistance}};
}

TEST(Snapshot, RestoresTheSameBankOnAnyNumberOfRanks) {
  PosixFileLayer files;
  for (const SmallRun& run : hard_runs()) {
    for (const int before : {1, 2, 4, 5}) {
      const TemporaryDirectory directory;
      for (const std::int64_t steps : {0, 7}) {
        const SaveReport report = testing::save(run, files, directory.path(), steps, before);
        ASSERT_EQ(report.state, SaveState::kCommitted) << report.problem;
        EXPECT_EQ(report.problem, "");
        for (const int after : {1, 3, before}) {
          SCOPED_TRACE(::testing::Message()
                       << run.rows << " rows, " << steps << " steps, " << before << " to " << after);
          EXPECT_EQ(testing::restored_step(run, files, directory.path(), after), steps);
        }
      }
    }
  }
}

TEST(Snapshot, ARunThatChangesItsRanksAgainAndAgainStaysTheSameRun) {
  // Between two saves the ring goes round several times, with batches that do not divide it.
  constexpr std::int64_t kStepsBetween = 17;
  PosixFileLayer files;
  for (const SmallRun& run : hard_runs()) {
    const TemporaryDirectory directory;
    std::int64_t saved = 0;
    for (const int ranks : {1, 4, 1, 4, 3, 5, 2}) {
      run_ranks(ranks, kChecked, [&](Communicator& comm) {
        Bank bank = run.bank(comm.rank(), comm.size());
        const FoundSnapshot found = find_newest_snapshot(comm, files, directory.path(), {});
        ASSERT_EQ(found.snapshot.has_value(), saved > 0);
        if (found.snapshot) {
          ASSERT_EQ(found.snapshot->manifest.step, saved);
          load_bank(*found.snapshot, bank, {});
        }
        run.train(bank, saved, saved + kStepsBetween);
        const at::Tensor held =
            at::full({1}, testing::expect_equals_queue(bank, run.queue(saved + kStepsBetween)), at::kLong);
        comm.all_reduce(held, ReduceOp::kSum);
        EXPECT_EQ(held.item<std::int64_t>(), bank.filled());
        SnapshotStore store(files, directory.path(), {});
        ASSERT_TRUE(store.start_save(comm, saved + kStepsBetween, run.state(saved + kStepsBetween), {{&bank}}));
        ASSERT_EQ(store.finish(comm).state, SaveState::kCommitted);
      });
      saved += kStepsBetween;
    }
  }
}

TEST(Snapshot, ARestoredRunGoesOnAsIfItHadNeverStopped) {
  constexpr std::int64_t kSteps = 11;
  PosixFileLayer files;
  for (const SmallRun& run : hard_runs()) {
    const TemporaryDirectory directory;
    ASSERT_EQ(testing::save(run, files, directory.path(), kSteps, 3).state, SaveState::kCommitted);
    run_ranks(3, kChecked, [&](Communicator& comm) {
      Bank stayed = run.bank(comm.rank(), comm.size());
      run.train(stayed, 0, kSteps);
      Bank restored = run.bank(comm.rank(), comm.size());
      const FoundSnapshot found = find_newest_snapshot(comm, files, directory.path(), {});
      ASSERT_TRUE(found.snapshot.has_value());
      load_bank(*found.snapshot, restored, {});
      testing::expect_equal_banks(restored, stayed);
      for (std::int64_t step = kSteps; step < kSteps + 12; ++step) {
        run.train(stayed, step, step + 1);
        run.train(restored, step, step + 1);
        testing::expect_equal_banks(restored, stayed);
      }
    });
  }
}

TEST(Snapshot, OnlyTheFirstCopyOfAReplicatedBankWrites) {
  constexpr int kShards = 2;
  constexpr std::int64_t kSteps = 5;
  const SmallRun run;
  PosixFileLayer files;
  const TemporaryDirectory directory;
  run_ranks(4, kChecked, [&](Communicator& comm) {
    Bank bank = run.bank(comm.rank() % kShards, kShards);
    run.train(bank, 0, kSteps);
    SnapshotStore store(files, directory.path(), {});
    ASSERT_TRUE(store.start_save(comm, kSteps, run.state(kSteps), {{&bank}}));
    EXPECT_EQ(store.finish(comm).state, SaveState::kCommitted);
    FindOptions options;
    options.shards = kShards;
    const FoundSnapshot found = find_newest_snapshot(comm, files, directory.path(), options);
    ASSERT_TRUE(found.snapshot.has_value());
    EXPECT_EQ(found.snapshot->manifest.bank().shards, kShards);
    EXPECT_EQ(found.snapshot->manifest.world_size, 4);
    Bank restored = run.bank(comm.rank() % kShards, kShards);
    load_bank(*found.snapshot, restored, {});
    testing::expect_equal_banks(restored, bank);
  });
}

TEST(Snapshot, OfARunWithoutABank) {
  PosixFileLayer files;
  const TemporaryDirectory directory;
  const SmallRun run;
  run_ranks(2, kChecked, [&](Communicator& comm) {
    SnapshotStore store(files, directory.path(), {});
    ASSERT_TRUE(store.start_save(comm, 3, run.state(3), {}));
    ASSERT_EQ(store.finish(comm).state, SaveState::kCommitted);
    const FoundSnapshot found = find_newest_snapshot(comm, files, directory.path(), {});
    ASSERT_TRUE(found.snapshot.has_value());
    testing::expect_equal_states(load_trainer(*found.snapshot), run.state(3));
    Bank bank = run.bank(comm.rank(), comm.size());
    EXPECT_THROW(load_bank(*found.snapshot, bank, {}), SnapshotError);
  });
}

TEST(Snapshot, EqualsItsStepWhileTrainingGoesOn) {
  // The writer waits at its stages, so that many steps pass during each save.
  SmallRun run;
  run.rows = 200;
  PosixFileLayer files;
  SnapshotOptions options;
  options.block_bytes = 64;
  options.at_save_point = [](std::string_view) { std::this_thread::sleep_for(std::chrono::milliseconds(5)); };
  const TemporaryDirectory directory;
  run_ranks(2, kChecked, [&](Communicator& comm) {
    Bank bank = run.bank(comm.rank(), comm.size());
    SnapshotStore store(files, directory.path(), options);
    std::int64_t step = 0;
    for (int saves = 0; saves < 3; ++saves) {
      run.train(bank, step, step + 1);
      const std::int64_t saved = ++step;
      ASSERT_TRUE(store.start_save(comm, saved, run.state(saved), {{&bank}}));
      std::int64_t during = 0;
      SaveReport report;
      do {
        EXPECT_FALSE(store.start_save(comm, step, run.state(step), {{&bank}})) << "two saves overlap";
        run.train(bank, step, step + 1);
        ++step;
        ++during;
        report = store.poll(comm);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      } while (report.state == SaveState::kRunning);
      ASSERT_EQ(report.state, SaveState::kCommitted) << report.problem;
      EXPECT_EQ(report.step, saved);
      EXPECT_GT(during, 3);
      EXPECT_EQ(store.poll(comm).state, SaveState::kIdle);
    }
  });
  for (const SnapshotEntry& entry : list_snapshots(files, directory.path() / "snapshots")) {
    std::filesystem::create_directories(directory / "one/snapshots");
    std::filesystem::rename(entry.path, directory / "one/snapshots" / entry.path.filename());
    EXPECT_EQ(testing::restored_step(run, files, directory / "one", 3), entry.step);
    std::filesystem::remove_all(directory / "one");
  }
}

TEST(Snapshot, AStoreThatEndsGivesUpItsSave) {
  const SmallRun run;
  PosixFileLayer files;
  const TemporaryDirectory directory;
  SnapshotOptions options;
  options.at_save_point = [](std::string_view) { std::this_thread::sleep_for(std::chrono::milliseconds(20)); };
  run_ranks(2, kChecked, [&](Communicator& comm) {
    Bank bank = run.bank(comm.rank(), comm.size());
    {
      SnapshotStore store(files, directory.path(), options);
      ASSERT_TRUE(store.start_save(comm, 4, run.state(4), {{&bank}}));
    }
    comm.barrier();
    EXPECT_FALSE(find_newest_snapshot(comm, files, directory.path(), {}).snapshot.has_value());
  });
  // What it left behind goes with the next save.
  ASSERT_EQ(testing::save(run, files, directory.path(), 5, 2).state, SaveState::kCommitted);
  EXPECT_EQ(files.list(directory / "snapshots"), std::vector<std::string>{step_name(5)});
}

TEST(Snapshot, ForeignBanksAreRefusedWithBothValues) {
  const SmallRun run;
  PosixFileLayer files;
  const TemporaryDirectory directory;
  ASSERT_EQ(testing::save(run, files, directory.path(), 5, 2).state, SaveState::kCommitted);
  run_ranks(1, kChecked, [&](Communicator& comm) {
    const FoundSnapshot found = find_newest_snapshot(comm, files, directory.path(), {});
    ASSERT_TRUE(found.snapshot.has_value());
    const auto refusal = [&](auto change) -> std::string {
      SmallRun other = run;
      change(other);
      Bank bank = other.bank(0, 1);
      try {
        load_bank(*found.snapshot, bank, {});
      } catch (const SnapshotError& error) {
        return error.what();
      }
      return "";
    };
    EXPECT_NE(refusal([](SmallRun& o) { o.width = 7; }).find("rows of width 5; this run wants 7"), std::string::npos);
    EXPECT_NE(refusal([](SmallRun& o) { o.rows = 30; }).find("a capacity of 23; this run wants 30"), std::string::npos);
    EXPECT_NE(refusal([](SmallRun& o) { o.dtype = at::kHalf; }).find("type fp32; this run wants fp16"),
              std::string::npos);
    SmallRun narrow = run;
    narrow.dtype = at::kBFloat16;
    Bank bank = narrow.bank(0, 1);
    LoadBankOptions convert;
    convert.convert_dtype = true;
    load_bank(*found.snapshot, bank, convert);
    const testing::PlainQueue queue = run.queue(5);
    for (const testing::PlainQueue::Entry& entry : queue.entries()) {
      const std::int64_t row = bank.layout().place_of(queue.slot_of(entry))->row;
      EXPECT_TRUE(at::equal(bank.shard().rows.vectors[row], entry.vector.to(at::kBFloat16)));
    }
  });
}

}  // namespace
}  // namespace negatron

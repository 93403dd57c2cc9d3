// A bank alone, as a program of its own saves it: what it is comes back with it, on another number of ranks.

#include "runtime/snapshots/save_bank.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "comm/threads/thread_communicator.h"
#include "runtime/snapshots/files/posix_file_layer.h"
#include "runtime/snapshots/load_snapshot.h"
#include "runtime/snapshots/manifest.h"
#include "tests/runtime/data/temporary_directory.h"
#include "tests/runtime/snapshots/small_run.h"

namespace negatron::testing {
namespace {

void expect_to_come_back(const SmallRun& run) {
  constexpr std::int64_t kStepsDone = 3;
  const TemporaryDirectory folder;
  PosixFileLayer files;
  run_ranks(3, {.check = true}, [&](Communicator& comm) {
    at::set_num_threads(1);
    Bank bank = run.bank(comm.rank(), comm.size());
    run.train(bank, 0, kStepsDone);
    PosixFileLayer own;
    save_bank(comm, own, folder / "saved", kStepsDone, bank);
  });
  const Snapshot snapshot{folder / "saved", read_manifest(files, folder / "saved")};
  const SavedBank& saved = snapshot.manifest.bank();
  EXPECT_EQ(saved.length, run.length);
  EXPECT_EQ(saved.row_optimizer, run.options().row_optimizer);
  Bank back(options_of(saved), 0, 1);
  load_bank(snapshot, back, {});
  Bank expected = run.bank(0, 1);
  run.train(expected, 0, kStepsDone);
  EXPECT_TRUE(at::equal(back.shard().rows.vectors, expected.shard().rows.vectors));
  EXPECT_TRUE(at::equal(back.shard().ids, expected.shard().ids));
  EXPECT_EQ(back.options().length, run.length);
  EXPECT_EQ(back.shard().rows.length == RowLength::kUnit, run.length == RowLength::kUnit);
  if (expected.shard().raw.defined()) {
    EXPECT_TRUE(at::equal(back.shard().moments, expected.shard().moments));
  }
}

TEST(SaveBank, KeepsWhatTheBankIs) {
  SmallRun run;
  expect_to_come_back(run);
  run.length = RowLength::kAsMade;
  expect_to_come_back(run);
  run.length = RowLength::kUnit;
  for (const BankKind kind : {BankKind::kLearned, BankKind::kParametric}) {
    run.kind = kind;
    for (const RowLength length : {RowLength::kUnit, RowLength::kDistance}) {
      run.length = length;
      expect_to_come_back(run);
    }
  }
}

TEST(SaveBank, RefusesToTakeABankOfAnotherLength) {
  const TemporaryDirectory folder;
  PosixFileLayer files;
  SmallRun run;
  run.length = RowLength::kAsMade;
  run_ranks(1, {}, [&](Communicator& comm) {
    Bank bank = run.bank(0, 1);
    run.train(bank, 0, 2);
    save_bank(comm, files, folder / "saved", 2, bank);
  });
  run.length = RowLength::kUnit;
  Bank unit = run.bank(0, 1);
  const Snapshot snapshot{folder / "saved", read_manifest(files, folder / "saved")};
  EXPECT_THROW(load_bank(snapshot, unit, {}), SnapshotError);
}

}  // namespace
}  // namespace negatron::testing

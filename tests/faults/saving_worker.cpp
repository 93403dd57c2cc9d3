#include "tests/faults/saving_worker.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>

#include "comm/mpi/environment.h"
#include "comm/mpi/mpi_communicator.h"
#include "comm/threads/thread_communicator.h"
#include "runtime/snapshots/bank_reader.h"
#include "runtime/snapshots/files/posix_file_layer.h"
#include "runtime/snapshots/load_snapshot.h"
#include "runtime/snapshots/snapshot_store.h"
#include "tests/faults/named_fault.h"

namespace negatron::testing {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kBlockBytes = 16 << 10;

at::Tensor all_keys(const SmallRun& run, Range sequence) {
  return SmallRun::key_vectors(sequence, run.width).to(run.dtype);
}

/// Every so many saves one is made twice of the same step, which replaces a snapshot.
constexpr std::int64_t kTwiceEvery = 3;
/// Longer than any stage's name: a stage is written over the one before, in one piece.
constexpr std::size_t kStageWidth = 12;

void tell_stage(const fs::path& directory, int rank, std::string_view stage) {
  std::string text(stage);
  text.resize(kStageWidth, ' ');
  std::fstream(stage_path(directory, rank), std::ios::in | std::ios::out) << text << std::flush;
}

/// The names of a queue and of a bank whose rows learn, which one snapshot holds.
constexpr const char* kItems = "items";
constexpr const char* kWords = "words";

/// Saves until it is killed.
class Saver {
 public:
  Saver(Communicator& comm, const fs::path& directory, SnapshotStore& store, const SavePointHook& reach)
      : comm_(comm), store_(store), reach_(reach) {
    if (comm.rank() == 0) journal_.open(journal_path(directory), std::ios::app);
  }

  void save_behind_training(Bank& items, Bank& words, std::int64_t step) {
    const std::vector<NamedBank> banks = {{&items, kItems}, {&words, kWords}};
    for (std::int64_t saves = 0;;) {
      run_.train(items, step, step + 1);
      learned_.train(words, step, step + 1);
      ++step;
      if (!store_.saving()) {
        reach_("between");
        store_.start_save(comm_, step, run_.state(step), banks);
        ++saves;
      }
      if (saves % kTwiceEvery == 0) {
        report(store_.finish(comm_));
        store_.start_save(comm_, step, run_.state(step), banks);
        report(store_.finish(comm_));
      } else {
        report(store_.poll(comm_));
      }
    }
  }

 private:
  void report(const SaveReport& report) {
    if (report.state == SaveState::kFailed) throw SnapshotError(report.problem);
    if (report.state == SaveState::kCommitted && comm_.rank() == 0) journal_ << report.step << std::endl;
  }

  SmallRun run_ = killed_run();
  SmallRun learned_ = killed_rows();
  Communicator& comm_;
  SnapshotStore& store_;
  SavePointHook reach_;
  std::ofstream journal_;
};

}  // namespace

SmallRun killed_run() {
  SmallRun run;
  run.rows = 1501;
  run.width = 64;
  run.fill = BankFill::kEmpty;
  run.batches = {37};
  return run;
}

SmallRun killed_rows() {
  SmallRun run;
  // Few, as whoever looks at a snapshot trains them from the start.
  run.rows = 61;
  run.width = 16;
  run.kind = BankKind::kLearned;
  return run;
}

const std::vector<std::string>& stages() {
  static const std::vector<std::string> all{"between",  "open",    "data",   "flush",   "verify", "fsync",
                                            "manifest", "replace", "rename", "publish", "prune"};
  return all;
}

bool is_of_rank_0(const std::string& stage) {
  static const std::vector<std::string> committing{"manifest", "replace", "rename", "publish", "prune"};
  return std::find(committing.begin(), committing.end(), stage) != committing.end();
}

fs::path pid_path(const fs::path& directory, int rank) {
  return directory / ("pid." + std::to_string(rank));
}
fs::path stage_path(const fs::path& directory, int rank) {
  return directory / ("stage." + std::to_string(rank));
}
fs::path journal_path(const fs::path& directory) {
  return directory / "journal";
}

int save_until_killed(int argc, char** argv, const fs::path& directory) {
  Environment environment(&argc, &argv);
  const std::unique_ptr<Communicator> comm = make_mpi_communicator(environment, {});
  PosixFileLayer files;
  const char* fault = std::getenv("NEGATRON_FAULT");
  const SavePointHook fail = fault_hook(parse_fault(fault == nullptr ? "" : fault), comm->rank());
  SnapshotOptions options;
  options.block_bytes = kBlockBytes;
  std::ofstream(stage_path(directory, comm->rank())) << std::string(kStageWidth, ' ');
  options.at_save_point = [&, rank = comm->rank()](std::string_view stage) {
    tell_stage(directory, rank, stage);
    fail(stage);
  };
  Bank items = killed_run().bank(comm->rank(), comm->size());
  Bank words = killed_rows().bank(comm->rank(), comm->size());
  const FoundSnapshot found = find_newest_snapshot(*comm, files, directory, {});
  std::int64_t step = 0;
  if (found.snapshot) {
    load_bank(*found.snapshot, items, {false, kBlockBytes, kItems});
    load_bank(*found.snapshot, words, {false, kBlockBytes, kWords});
    step = found.snapshot->manifest.step;
  }
  SnapshotStore store(files, directory, options);
  tell_stage(directory, comm->rank(), "between");
  std::ofstream(pid_path(directory, comm->rank())) << ::getpid() << std::endl;
  try {
    Saver(*comm, directory, store, options.at_save_point).save_behind_training(items, words, step);
  } catch (const std::exception& error) {
    // Said here: leaving by exception aborts the job before anyone could.
    std::cerr << "rank " << comm->rank() << ": " << error.what() << std::endl;
  }
  environment.abort(1);
}

namespace {

/// Rows that learn are what as many steps from the start come to, with what their optimizer remembers.
std::string what_is_wrong_with_words(const Snapshot& snapshot) {
  const SmallRun run = killed_rows();
  Bank found = run.bank(0, 1);
  load_bank(snapshot, found, {false, kBlockBytes, kWords});
  Bank expected = run.bank(0, 1);
  run.train(expected, 0, snapshot.manifest.step);
  const BankShard& a = found.shard();
  const BankShard& b = expected.shard();
  const bool same = at::equal(a.raw, b.raw) && at::equal(a.moments, b.moments) &&
                    at::equal(a.rows.vectors, b.rows.vectors) && at::equal(a.steps, b.steps);
  return same ? "" : "rows that learn are not those of their step ";
}

}  // namespace

std::string check_newest(const fs::path& directory, int ranks, std::int64_t& step) {
  const SmallRun run = killed_run();
  std::string wrong;
  std::int64_t found_step = -1;
  run_ranks(ranks, {}, [&](Communicator& comm) {
    PosixFileLayer files;
    const FoundSnapshot found = find_newest_snapshot(comm, files, directory, {});
    if (comm.rank() != 0) return;
    // A kill loses nothing that was written: what was renamed is whole.
    for (const std::string& reason : found.quarantined) wrong += reason + " ";
    if (!found.snapshot) return;
    const Manifest& manifest = found.snapshot->manifest;
    found_step = manifest.step;
    if (manifest.bank_named(kItems) == nullptr || manifest.bank_named(kWords) == nullptr) {
      wrong += "a bank is missing ";
      return;
    }
    wrong += what_is_wrong_with_words(*found.snapshot);
    BankReader reader(found.snapshot->path, *manifest.bank_named(kItems), kBlockBytes);
    const BankLayout& layout = reader.layout();
    if (layout.head() != found_step * run.batches.front()) wrong += "the bank is not that of its step ";
    const Range all{layout.floor(), layout.head()};
    const BankBlock block = reader.read(all);
    const at::Tensor sequence = at::arange(all.begin, all.end, at::kLong);
    if (!at::equal(block.vectors, all_keys(run, all))) wrong += "vectors are mixed ";
    if (!at::equal(block.ids, SmallRun::key_ids(all))) wrong += "ids are mixed ";
    if (!at::equal(block.steps, sequence.div(run.batches.front(), "floor"))) wrong += "steps are mixed ";
    const TrainerState expected = run.state(found_step);
    const TrainerState state = load_trainer(*found.snapshot);
    bool same = state.numbers == expected.numbers && state.tensors.size() == expected.tensors.size();
    for (std::size_t i = 0; same && i < state.tensors.size(); ++i) {
      same = at::equal(state.tensors[i].second, expected.tensors[i].second);
    }
    if (!same) wrong += "the trainer is not that of its step ";
  });
  step = found_step;
  return wrong;
}

}  // namespace negatron::testing

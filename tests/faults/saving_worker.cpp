#include "tests/faults/saving_worker.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>

#include "comm/environment.h"
#include "comm/thread_communicator.h"
#include "runtime/snapshots/bank_reader.h"
#include "runtime/snapshots/load_snapshot.h"
#include "runtime/snapshots/posix_file_layer.h"
#include "runtime/snapshots/snapshot_store.h"
#include "tests/faults/named_fault.h"

namespace negatron::testing {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kBlockBytes = 16 << 10;

at::Tensor all_keys(const SmallRun& run, Range sequence) {
  return SmallRun::key_vectors(sequence, run.width).to(run.dtype);
}

/// One save after the other; training goes on during each. Steps are few enough for the parent to follow.
void train_and_save(Communicator& comm, const fs::path& directory, SnapshotStore& store, Bank& bank,
                    std::int64_t step) {
  const SmallRun run = killed_run();
  std::ofstream journal;
  if (comm.rank() == 0) journal.open(journal_path(directory), std::ios::app);
  for (;;) {
    run.train(bank, step, step + 1);
    ++step;
    store.start_save(comm, step, run.state(step), &bank);
    const SaveReport report = store.poll(comm);
    if (report.state == SaveState::kCommitted && comm.rank() == 0) journal << report.step << std::endl;
    if (report.state == SaveState::kCommitted) std::ofstream(stage_path(directory, comm.rank())) << "between";
    if (report.state == SaveState::kFailed) throw SnapshotError(report.problem);
  }
}

}  // namespace

SmallRun killed_run() {
  SmallRun run;
  run.rows = 1501;
  run.width = 64;
  run.fill = BankFill::kEmpty;
  run.batches = {37};
  return run;
}

const std::vector<std::string>& stages() {
  static const std::vector<std::string> all{"between", "open",     "data",   "flush",   "fsync",
                                            "verify",  "manifest", "rename", "publish", "prune"};
  return all;
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
  const StageHook fail = fault_hook(parse_fault(fault == nullptr ? "" : fault), comm->rank());
  SnapshotOptions options;
  options.block_bytes = kBlockBytes;
  options.at_stage = [&, rank = comm->rank()](std::string_view stage) {
    std::ofstream(stage_path(directory, rank)) << stage;
    fail(stage);
  };
  const SmallRun run = killed_run();
  Bank bank = run.bank(comm->rank(), comm->size());
  const FoundSnapshot found = find_newest_snapshot(*comm, files, directory, {});
  std::int64_t step = 0;
  if (found.snapshot) {
    load_bank(*found.snapshot, bank, {});
    step = found.snapshot->manifest.step;
  }
  SnapshotStore store(files, directory, options);
  std::ofstream(stage_path(directory, comm->rank())) << "between";
  std::ofstream(pid_path(directory, comm->rank())) << ::getpid() << std::endl;
  try {
    train_and_save(*comm, directory, store, bank, step);
  } catch (const std::exception& error) {
    // Said here: leaving by exception aborts the job before anyone could.
    std::cerr << "rank " << comm->rank() << ": " << error.what() << std::endl;
  }
  environment.abort(1);
}

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
    BankReader reader(found.snapshot->path, *manifest.bank, kBlockBytes);
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

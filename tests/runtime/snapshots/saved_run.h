#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "runtime/snapshots/load_snapshot.h"
#include "runtime/snapshots/snapshot_store.h"
#include "tests/runtime/snapshots/small_run.h"

namespace negatron::testing {

/// This rank's keys equal those of the queue, and validity, slots and leaves say so. Returns how many keys it holds.
std::int64_t expect_equals_queue(const Bank& bank, const PlainQueue& queue);
void expect_equal_states(const TrainerState& found, const TrainerState& expected);
/// All that decides what comes next, bit by bit; the content of holes does not.
void expect_equal_banks(const Bank& found, const Bank& expected);

/// Saves what the run is after `steps` steps, over `ranks` ranks as threads.
SaveReport save(const SmallRun& run, FileLayer& files, const std::filesystem::path& directory, std::int64_t steps,
                int ranks, SnapshotOptions options = {});
/// The step that restoring finds over `ranks` ranks, after a check that what it restores is that step's; -1 without
/// any.
std::int64_t restored_step(const SmallRun& run, FileLayer& files, const std::filesystem::path& directory, int ranks,
                           std::vector<std::string>* quarantined = nullptr);

}  // namespace negatron::testing

#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tests/runtime/snapshots/small_run.h"

namespace negatron::testing {

/// The run that is killed: content is a function of the step, so that whoever finds a snapshot can tell whether it is
/// whole.
SmallRun killed_run();
/// The same with rows that learn, in a second bank.
SmallRun killed_rows();
/// In which stage a rank is, for the statistics of kills; "between" saves is one of them.
const std::vector<std::string>& stages();
/// Only rank 0 commits.
bool is_of_rank_0(const std::string& stage);

/// Files in the run directory by which a rank tells the parent where it is.
std::filesystem::path pid_path(const std::filesystem::path& directory, int rank);
std::filesystem::path stage_path(const std::filesystem::path& directory, int rank);
/// One line for each commit that was reported.
std::filesystem::path journal_path(const std::filesystem::path& directory);

/// Under mpirun: restores what is there, then trains and saves until it is killed. Returns only when something is
/// wrong.
int save_until_killed(int argc, char** argv, const std::filesystem::path& directory);

/// Empty when the newest snapshot that verifies is whole and exactly what its step makes it; else what is wrong. `step`
/// is that of the snapshot, -1 without any.
std::string check_newest(const std::filesystem::path& directory, int ranks, std::int64_t& step);

}  // namespace negatron::testing

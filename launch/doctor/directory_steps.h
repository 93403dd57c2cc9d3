#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "comm/communicator.h"
#include "runtime/snapshots/files/file_layer.h"
#include "runtime/snapshots/files/lock_file.h"

namespace negatron {

/// What one rank found out in one step; `value` means what the step says.
struct StepResult {
  /// Empty where it went well.
  std::string error;
  double value = 0.0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(StepResult, error, value)

/// The directory that is tried, as this rank sees it.
struct DirectoryTrial {
  std::filesystem::path path;
  std::shared_ptr<FileLayer> files;
  /// Of each step on each rank, in a thread of its own.
  std::chrono::milliseconds limit{3000};
  /// For each file of another host to be seen.
  std::chrono::milliseconds patience{1000};
};

/// What ranks do together in a directory that all share, step by step. Each step is collective, takes no longer than
/// the trial's limit where the file system answers or not, and returns the results of all ranks, [P]. What they make
/// has a name of its own, and goes with this object.
class DirectorySteps {
 public:
  /// Collective.
  DirectorySteps(Communicator& comm, const DirectoryTrial& trial);
  ~DirectorySteps();
  DirectorySteps(const DirectorySteps&) = delete;
  DirectorySteps& operator=(const DirectorySteps&) = delete;

  /// Each writes and syncs a file: bytes a second.
  std::vector<StepResult> write();
  /// Each looks for the file of rank 0 and that of the rank half the job away, as a rule on another host.
  std::vector<StepResult> look();
  /// Each reads the latter: bytes a second.
  std::vector<StepResult> read();
  /// Rank 0 locks a file and the others try to, while it does: 1 for those that the file system kept out.
  std::vector<StepResult> lock();
  /// All rename a directory of their own to one name at once: 1 for who got it.
  std::vector<StepResult> rename();
  /// Bytes that are free.
  std::vector<StepResult> space();

 private:
  std::vector<StepResult> step(std::function<double()> work);
  std::filesystem::path own(const std::string& kind, int rank) const;

  Communicator& comm_;
  const DirectoryTrial trial_;
  const int partner_;
  const std::string name_;
};

}  // namespace negatron

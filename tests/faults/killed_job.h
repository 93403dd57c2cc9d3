#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace negatron::testing {

/// A job of saving_worker.h under mpirun, which the caller watches and kills.
class KilledJob {
 public:
  /// Starts `program` --worker `directory` on `ranks` ranks; `fault` as in named_fault.h.
  KilledJob(const std::string& program, const std::filesystem::path& directory, int ranks, const std::string& fault);
  KilledJob(const KilledJob&) = delete;
  KilledJob& operator=(const KilledJob&) = delete;

  /// Waits until all ranks train. False when the job ends before or takes too long.
  bool started();
  bool ended();
  /// Waits until the rank has stopped itself at its fault. False when the job ends before or takes too long.
  bool wait_for_stop(int rank);
  /// What the rank said last.
  std::string stage_of(int rank) const;
  /// All that the job printed.
  std::string output() const;

  void kill_rank(int rank) const;
  void kill_all_ranks() const;
  void kill_mpirun() const;
  /// Lets a rank that stopped itself go on.
  void resume(int rank) const;

  /// Waits for the end of mpirun and of all ranks; returns how many processes had to be killed by hand.
  int finish();

 private:
  pid_t pid_of(int rank) const { return pids_.at(static_cast<std::size_t>(rank)); }

  std::filesystem::path directory_;
  int ranks_;
  pid_t mpirun_ = -1;
  bool ended_ = false;
  std::vector<pid_t> pids_;
};

}  // namespace negatron::testing

#pragma once

#include <string>

#include "comm/mpi/lone_start.h"
#include "runtime/metrics/step_metrics.h"
#include "runtime/snapshots/files/lock_owner.h"

namespace negatron {

/// What Slurm says of the job that this process is in.
struct SlurmJob {
  /// Of the job, of the step in it and of the start.
  SlurmStart start;
  /// As Slurm abbreviates them, of the step or else of the job: "n[1-2]".
  std::string nodes;
  /// Of the job, whatever the step has.
  int tasks = 0;

  /// Whether there is one.
  explicit operator bool() const { return !start.job_id.empty(); }
};

/// Nothing in it without Slurm. Local.
SlurmJob slurm_job(const VariableLookup& variable);
/// Of this process. Local.
SlurmJob slurm_job();

/// "Slurm job 12.0 on n[1-2]", and in a job that Slurm began again ", restarted 2 times". Local.
std::string text_of(const SlurmJob& job);

/// For metrics.jsonl: a start on so many ranks from step `step` on. Local.
StartMetrics start_metrics(const SlurmJob& job, std::int64_t step, int ranks);

/// A sentence for a run that is one rank of a job of several tasks because nobody started the others; else nothing.
/// `by_launcher` says that srun or mpirun started this one. Local.
std::string forgotten_tasks(const SlurmJob& job, int ranks, bool by_launcher);

}  // namespace negatron

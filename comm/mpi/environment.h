#pragma once

#include <chrono>
#include <memory>

#include "comm/communicator.h"
#include "comm/mpi/lone_start.h"

namespace negatron {

/// Owns MPI's lifetime in this process: made once, by main, before anything else of comm/. Asks for the thread level
/// the project needs (MPI_THREAD_SERIALIZED; more is welcome), installs the returning error handler so that failures
/// become exceptions. The destructor finalizes when `finish` was called and aborts the job otherwise: a rank that
/// leaves by exception must not wait in MPI_Finalize for ranks that wait for it in a collective.
class Environment {
 public:
  static constexpr std::chrono::minutes kStartLimit{10};

  /// A program started without mpirun or srun is a job of one rank, in a shell that srun started as well. Throws
  /// CommError when MPI is already initialized, grants less than the thread level needed, or when srun started this
  /// process without telling MPI. Where the ranks do not find each other within `start_limit` it ends the process
  /// (connection_limit.h).
  Environment(int* argc, char*** argv, std::chrono::milliseconds start_limit = kStartLimit);
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  /// This process among all of the job: for messages before there is a communicator. Local.
  int rank() const noexcept { return rank_; }
  int size() const noexcept { return size_; }
  /// For what else makes the ranks find each other before there is a communicator with a limit of its own.
  std::chrono::milliseconds start_limit() const noexcept { return start_limit_; }
  /// Shared by all communicators of the job.
  const std::shared_ptr<RollCall>& roll_call() const noexcept { return roll_call_; }

  /// Says that the work is done and the job may end by finalize. Collective in effect: every rank must reach it.
  void finish() noexcept { finished_ = true; }
  /// Ends the whole job now with this exit code. Does not return.
  [[noreturn]] void abort(int exit_code) noexcept;
  /// The same from any thread, while the one that communicates may hang; returns where MPI is not there, not yet or no
  /// longer. May wait for a launcher that does not answer.
  static void abort_from_any_thread(int exit_code) noexcept;

 private:
  int rank_ = 0;
  int size_ = 1;
  std::chrono::milliseconds start_limit_;
  std::shared_ptr<RollCall> roll_call_;
  bool finished_ = false;
};

/// Throws CommError when these variables say that srun started several tasks of which MPI knows nothing (each would be
/// a job of one rank), or this one task, and not the shell that it was started in (`by_launcher`), or that it speaks a
/// PMI that MPI does not; the message says which option is missing. Local.
void diagnose_srun(const VariableLookup& variable, bool by_launcher);

}  // namespace negatron

#pragma once

#include <memory>

#include "comm/communicator.h"

namespace negatron {

/// Owns MPI's lifetime in this process: made once, by main, before anything else of comm/. Asks for the thread level
/// the project needs (MPI_THREAD_SERIALIZED; more is welcome), installs the returning error handler so that failures
/// become exceptions. The destructor finalizes when `finish` was called and aborts the job otherwise: a rank that
/// leaves by exception must not wait in MPI_Finalize for ranks that wait for it in a collective.
class Environment {
 public:
  /// A program started without mpirun or srun is a job of one rank. Throws CommError when MPI is already initialized,
  /// grants less than the thread level needed, or when srun started several tasks without telling MPI.
  Environment(int* argc, char*** argv);
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  /// This process among all of the job: for messages before there is a communicator. Local.
  int rank() const noexcept { return rank_; }
  int size() const noexcept { return size_; }

  /// Says that the work is done and the job may end by finalize. Collective in effect: every rank must reach it.
  void finish() noexcept { finished_ = true; }
  /// Ends the whole job now with this exit code. Does not return.
  [[noreturn]] void abort(int exit_code) noexcept;

 private:
  int rank_ = 0;
  int size_ = 1;
  bool finished_ = false;
};

/// Throws CommError when these variables say that srun started several tasks of which MPI knows nothing (each would be
/// a job of one rank); the message says which option is missing. `variable` looks an environment variable up, and
/// returns null where it is not set. Local.
void diagnose_srun(const std::function<const char*(const char*)>& variable);

}  // namespace negatron

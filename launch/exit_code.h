#pragma once

#include "comm/error.h"

namespace negatron {

/// How `negatron` ends. Documented in RUNNING.md 1; scripts and schedulers rely on them.
enum ExitCode : int {
  kExitOk = 0,
  /// Something failed while running: data, a rank, the training itself.
  kExitFailure = 1,
  /// A flag, a value, a file or the number of ranks cannot work. Nothing was started or changed.
  kExitUsage = 2,
  /// A collective did not finish within --collective-time-limit.
  kExitHang = 3,
  /// The run ended or was told to leave, but its last snapshot could not be written; the older ones are untouched.
  kExitNotSaved = 4,
  /// Told to leave (SIGUSR1, SIGUSR2, Ctrl-C), saved, and to be started again with --resume auto. EX_TEMPFAIL of
  /// sysexits.h.
  kExitRequeue = 75,
  /// A second Ctrl-C: left at once. As a shell reports a process that SIGINT ended.
  kExitInterrupted = 130,
  /// Nobody reads the standard output any more: `negatron bank info ... | head -1`. As a shell reports a process that
  /// SIGPIPE ended. Not of runs, which go on.
  kExitReaderLeft = 141,
  /// Told to end (SIGTERM); saved as well where --on-term says so and the grace was long enough. As a shell reports a
  /// process that the signal ended.
  kExitStopped = 143,
};

/// The request cannot be carried out as asked. One sentence that names the flag or file and what was expected.
class UsageError : public Refusal {
 public:
  using Refusal::Refusal;
};

}  // namespace negatron

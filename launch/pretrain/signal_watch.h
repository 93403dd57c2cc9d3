#pragma once

#include <thread>

#include "runtime/run/run_signals.h"

namespace negatron {

/// Turns signals into requests of the run, those that came earlier too (early_signals.h), so that none ends the process
/// by accident: SIGUSR1 asks for a snapshot, SIGINT (Ctrl-C) asks to save and leave, SIGTERM asks to stop. Who is not
/// gone kLeaveWithin after SIGTERM (in the middle of a long step, of start-up, of an evaluation) is ended then with
/// kExitStopped, and at a second SIGINT at once with kExitInterrupted: snapshots are never half, so nothing is lost by
/// that. Where SIGINT was ignored before (nohup, a job in the background of a script) it stays so. One at a time;
/// local.
class SignalWatch {
 public:
  SignalWatch();
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  RunSignals& requests() noexcept { return requests_; }

 private:
  void watch();
  void interrupted();

  RunSignals requests_;
  /// The handler writes one byte for each signal.
  int read_end_ = -1;
  std::thread thread_;
};

}  // namespace negatron

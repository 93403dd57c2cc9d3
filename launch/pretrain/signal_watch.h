#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <thread>

#include "runtime/run/run_signals.h"

namespace negatron {

/// What a run does at SIGTERM.
struct TermPolicy {
  /// Saves, and leaves; else it leaves between two steps.
  bool saves = false;
  /// Who is not gone so long after the signal is ended. mpirun, which an operator stops, kills what is left after a
  /// second or two.
  std::chrono::milliseconds grace{800};
};

/// Turns signals into requests of the run, those that came earlier too (early_signals.h), so that none ends the process
/// by accident: SIGUSR1 and SIGUSR2 ask for a snapshot, SIGINT (Ctrl-C) asks to save and leave, SIGTERM for what the
/// policy says: whether a save fits into the grace is tried, with the clock as the bound. Who is not gone at its end
/// (in the middle of a long step, of start-up, of a save) is ended then with kExitStopped, and at a second SIGTERM or
/// SIGINT at once, with kExitInterrupted for the latter, and so are the ranks that would wait for it (job_end.h):
/// snapshots are never half, so nothing is lost by that. Where SIGINT was ignored before (nohup, a job in the
/// background of a script) it stays so. One at a time; local.
class SignalWatch {
 public:
  SignalWatch();
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  RunSignals& requests() noexcept { return requests_; }

  /// What SIGTERM does from here on. Before, where there is nothing to save, the run leaves within a second.
  void honour(const TermPolicy& policy);
  /// From here on this process leaves in order, and a launcher that ends those that are left changes nothing.
  void run_is_over();

 private:
  using Clock = std::chrono::steady_clock;

  void watch();
  void interrupted();
  void terminated();
  TermPolicy policy_now(bool by_mpirun);

  RunSignals requests_;
  std::mutex mutex_;
  TermPolicy policy_;
  bool is_over_ = false;
  /// When SIGTERM first came. Of the thread.
  std::optional<Clock::time_point> terminated_at_;
  /// The handler writes one byte for each signal.
  int read_end_ = -1;
  std::thread thread_;
};

}  // namespace negatron

#pragma once

#include <atomic>

namespace negatron {

/// What people and schedulers ask of this process while it trains. Set by any thread, looked at between steps.
struct RunSignals {
  /// SIGUSR1, SIGUSR2: save now; what then is up to SnapshotSettings::leaves_on_usr1.
  std::atomic<bool> snapshot{false};
  /// Ctrl-C, or SIGTERM where there is time: save now and leave, whatever those settings say.
  std::atomic<bool> leave{false};
  /// Beside `leave`, and set before it: it was SIGTERM, which the run ends as.
  std::atomic<bool> terminated{false};
  /// SIGTERM where there is none, or another run has the directory: leave at once.
  std::atomic<bool> stop{false};
};

}  // namespace negatron

#pragma once

#include <atomic>

namespace negatron {

/// What people and schedulers ask of this process while it trains. Set by any thread, looked at between steps.
struct RunSignals {
  /// SIGUSR1: save now; what then is up to SnapshotSettings::leaves_on_usr1.
  std::atomic<bool> snapshot{false};
  /// Ctrl-C: save now and leave, whatever those settings say.
  std::atomic<bool> leave{false};
  /// SIGTERM: leave at once.
  std::atomic<bool> stop{false};
};

}  // namespace negatron

#pragma once

namespace negatron {

/// What a rank would have the run do between this step and the next. Signals reach one rank, clocks differ: the ranks
/// agree by doing what any of them wishes.
struct StepWishes {
  bool snapshot = false;
  /// Snapshot, then leave to be started again.
  bool leave = false;
  /// Leave at once, without a snapshot.
  bool stop = false;
};

}  // namespace negatron

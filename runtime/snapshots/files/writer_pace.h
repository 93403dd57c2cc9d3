#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

namespace negatron {

/// How fast a snapshot's writing thread goes, told by the thread that trains: beside training it takes a tenth of a
/// core, so that steps hardly slow down, and rests for what is left of the time. One per save; all its writing
/// threads, of which one works at a time, share it.
class WriterPace {
 public:
  /// The writing thread, between two blocks: rests for as long as the processor time since the last call asks for, and
  /// at most 0.2 s: some waiting counts as processor time.
  /// Throws SnapshotError when the save was given up, also while it rests.
  void between_blocks();

  /// Training waits for this save: no rests from now on.
  void hurry();
  /// The save ends at its next block.
  void give_up();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool hurries_ = false;
  bool given_up_ = false;
  /// The thread that last rested, and its processor time then.
  std::thread::id writer_;
  double rested_at_ = 0.0;
};

}  // namespace negatron

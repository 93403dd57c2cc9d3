#include "runtime/snapshots/files/writer_pace.h"

#include <time.h>

#include <algorithm>
#include <chrono>

#include "runtime/snapshots/snapshot_error.h"

namespace negatron {
namespace {

// Nine parts of rest for one of work: a block that took 10 ms of processor time is followed by 90 ms of rest, a tenth
// of a core. One that took 30 ms would ask for 270 ms and gets the longest rest, 200 ms.
constexpr double kRestForWork = 9.0;
constexpr double kLongestRest = 0.2;
constexpr double kNano = 1e-9;

double seconds_of_this_thread() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + kNano * static_cast<double>(now.tv_nsec);
}

}  // namespace

void WriterPace::between_blocks() {
  std::unique_lock lock(mutex_);
  const double now = seconds_of_this_thread();
  // Every thread has a clock of its own.
  const double worked = writer_ == std::this_thread::get_id() ? now - rested_at_ : now;
  writer_ = std::this_thread::get_id();
  rested_at_ = now;
  // A condition variable and not a sleep, so that training, which waits once it hurries the save, does not wait for a
  // rest to end.
  changed_.wait_for(lock, std::chrono::duration<double>(std::min(kRestForWork * worked, kLongestRest)),
                    [this] { return hurries_ || given_up_; });
  if (given_up_) throw SnapshotError("The snapshot was given up.");
}

void WriterPace::hurry() {
  const std::lock_guard lock(mutex_);
  hurries_ = true;
  changed_.notify_all();
}

void WriterPace::give_up() {
  const std::lock_guard lock(mutex_);
  given_up_ = true;
  changed_.notify_all();
}

}  // namespace negatron

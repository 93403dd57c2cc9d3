#include "runtime/snapshots/files/writer_pace.h"

#include <time.h>

#include <algorithm>
#include <chrono>

#include "runtime/snapshots/snapshot_error.h"

namespace negatron {
namespace {

// A thread that rests nine times as long as it worked works for a tenth of the time. Examples, in processor time of one
// block: 2 ms give 18 ms of rest; 30 ms would give 270 ms and give 200 ms, so the share is then 30 / 230, a bit more
// than a tenth. Blocks of 1 MiB at 2 ms each are written at 50 MiB a second beside training.
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
  // A new thread may be given the identity of one that ended; then the difference may be negative, and one rest is left
  // out.
  const double worked = writer_ == std::this_thread::get_id() ? now - rested_at_ : now;
  writer_ = std::this_thread::get_id();
  rested_at_ = now;
  // The predicate is looked at before any waiting too: after hurry() no call rests, not even for a moment. Waiting lets
  // go of the mutex, so hurry() and give_up() never wait for a rest to end.
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

#include "comm/nccl/nccl_watchdog.h"

#include <iostream>

#include "comm/error.h"

namespace negatron {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLookEvery{20};

}  // namespace

NcclWatchdog::NcclWatchdog(NcclHandle& handle, std::chrono::milliseconds limit)
    : handle_(handle), limit_(limit), thread_([this] { run(); }) {}

NcclWatchdog::~NcclWatchdog() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void NcclWatchdog::watch(std::shared_ptr<CudaEvent> end) {
  const std::lock_guard lock(mutex_);
  watched_.push_back({std::move(end), Clock::now()});
}

void NcclWatchdog::check() {
  const std::lock_guard lock(mutex_);
  if (timed_out_) throw_timeout(limit_);
  if (!error_.empty()) throw CommError(error_);
}

void NcclWatchdog::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    // Wakes by the clock, not by events: CUDA has no wait with a limit, which is the reason for this thread.
    changed_.wait_for(lock, kLookEvery);
    if (handle_.aborted()) continue;
    try {
      look();
    } catch (const std::exception& error) {
      error_ = error.what();
    }
    if (!timed_out_ && error_.empty()) continue;
    // Not under the own lock: the communicating thread holds the NCCL lock when it asks check(), which takes the own
    // one. Taking the two in the other order here could leave both waiting for ever.
    lock.unlock();
    std::cerr << "an NCCL collective " + (timed_out_ ? "is over its time limit" : "failed: " + error_) +
                     "; aborting its group\n";
    {
      const std::lock_guard outside_nccl(nccl_mutex_);
      handle_.abort();
    }
    lock.lock();
  }
}

void NcclWatchdog::look() {
  // Operations end in the order of their stream, so only the first that is not done can be over its limit.
  while (!watched_.empty() && watched_.front().end->done()) {
    watched_.pop_front();
    // The next one could not start before.
    if (!watched_.empty()) watched_.front().since = std::max(watched_.front().since, Clock::now());
  }
  timed_out_ = !watched_.empty() && Clock::now() - watched_.front().since > limit_;
  if (timed_out_) return;
  // Busy inside NCCL is not an error; look again later.
  const std::unique_lock outside_nccl(nccl_mutex_, std::try_to_lock);
  if (outside_nccl) error_ = handle_.asynchronous_error();
}

}  // namespace negatron

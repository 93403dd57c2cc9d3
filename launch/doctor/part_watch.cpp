#include "launch/doctor/part_watch.h"

#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace negatron {

PartWatch::PartWatch(LastWords last_words) : last_words_(std::move(last_words)) {
  // Signals are for the threads that know what to do with them.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  thread_ = std::thread([this] { watch(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

PartWatch::~PartWatch() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void PartWatch::enter(const std::string& part, std::chrono::milliseconds limit) {
  {
    const std::lock_guard lock(mutex_);
    part_ = part;
    limit_ = limit;
    deadline_ = std::chrono::steady_clock::now() + limit;
  }
  changed_.notify_all();
}

void PartWatch::watch() {
  std::unique_lock lock(mutex_);
  while (!ends_) {
    if (std::chrono::steady_clock::now() >= deadline_) {
      last_words_(part_, limit_);
      std::_Exit(kExitCode);
    }
    // The furthest time is more than some C libraries can wait for.
    constexpr std::chrono::hours kLongWait{1};
    changed_.wait_until(lock, std::min(deadline_, std::chrono::steady_clock::now() + kLongWait));
  }
}

}  // namespace negatron

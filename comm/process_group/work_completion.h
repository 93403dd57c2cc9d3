#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>

namespace c10d {
class Work;
}

namespace negatron {

/// What a thread of a backend tells the one that waits for a work of its.
class WorkCompletion {
 public:
  void tell();
  /// Sleeps until it is told, or for `slice`; says whether it was.
  bool wait(std::chrono::milliseconds slice);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool told_ = false;
};

/// Of a work that was begun. It is told when the work is done or has failed, just before the work itself says so. Null
/// where the backend has no future that tells.
std::shared_ptr<WorkCompletion> completion_of(c10d::Work& work);

}  // namespace negatron

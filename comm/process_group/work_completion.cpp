#include "comm/process_group/work_completion.h"

#include <torch/csrc/distributed/c10d/Work.hpp>

#include <exception>

namespace negatron {

void WorkCompletion::tell() {
  // Told within the lock: who waits may be the last to hold this.
  const std::lock_guard<std::mutex> lock(mutex_);
  told_ = true;
  changed_.notify_all();
}

bool WorkCompletion::wait(std::chrono::milliseconds slice) {
  std::unique_lock<std::mutex> lock(mutex_);
  return changed_.wait_for(lock, slice, [this] { return told_; });
}

std::shared_ptr<WorkCompletion> completion_of(c10d::Work& work) {
  c10::intrusive_ptr<c10::ivalue::Future> future;
  try {
    future = work.getFuture();
  } catch (const std::exception&) {
    return nullptr;
  }
  if (future == nullptr) return nullptr;
  auto completion = std::make_shared<WorkCompletion>();
  future->addCallback([completion](c10::ivalue::Future&) { completion->tell(); });
  return completion;
}

}  // namespace negatron

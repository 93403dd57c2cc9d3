#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "comm/nccl/cuda_stream.h"
#include "comm/nccl/nccl_handle.h"

namespace negatron {

/// Looks after collectives on the device, for which the host does not wait: a thread that aborts the NCCL communicator
/// when one of them takes longer than the limit, or when NCCL reports an error. Without it the host would sit for ever
/// in the first CUDA call that needs their result.
class NcclWatchdog {
 public:
  NcclWatchdog(NcclHandle& handle, std::chrono::milliseconds limit);
  ~NcclWatchdog();
  NcclWatchdog(const NcclWatchdog&) = delete;
  NcclWatchdog& operator=(const NcclWatchdog&) = delete;

  /// Watches one operation until `end` is done. Operations end in the order in which they are given.
  void watch(std::shared_ptr<CudaEvent> end);
  /// Throws what has gone wrong so far: TimeoutError or CommError.
  void check();
  /// Held while the communicating thread is inside NCCL, so that it is not aborted under its feet.
  std::mutex& nccl_mutex() noexcept { return nccl_mutex_; }

 private:
  struct Watched {
    std::shared_ptr<CudaEvent> end;
    std::chrono::steady_clock::time_point since;
  };

  void run();
  /// Under the lock.
  void look();

  NcclHandle& handle_;
  const std::chrono::milliseconds limit_;
  std::mutex nccl_mutex_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Watched> watched_;
  bool timed_out_ = false;
  std::string error_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace negatron

#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace negatron {

/// The last bound on every part of `negatron doctor`: some calls (MPI's and NCCL's start, a driver) cannot be told to
/// give up. A thread that says what it knows and ends the process when a part takes too long. Local.
class PartWatch {
 public:
  using LastWords = std::function<void(const std::string& part, std::chrono::milliseconds limit)>;

  static constexpr int kExitCode = 1;

  /// `last_words` runs in the watch's thread; then the process ends with kExitCode.
  explicit PartWatch(LastWords last_words);
  ~PartWatch();
  PartWatch(const PartWatch&) = delete;
  PartWatch& operator=(const PartWatch&) = delete;

  /// From here on it is this part, and it has `limit`.
  void enter(const std::string& part, std::chrono::milliseconds limit);

 private:
  void watch();

  const LastWords last_words_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string part_;
  std::chrono::milliseconds limit_{0};
  std::chrono::steady_clock::time_point deadline_ = std::chrono::steady_clock::time_point::max();
  bool ends_ = false;
  std::thread thread_;
};

}  // namespace negatron

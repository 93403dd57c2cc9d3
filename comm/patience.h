#pragma once

#include <chrono>
#include <thread>

namespace negatron {

/// How a thread waits for what it can only look at: short waits end while it only yields, and a long wait is not worth
/// a core. Local.
class Patience {
 public:
  std::chrono::steady_clock::duration waited() const { return std::chrono::steady_clock::now() - start_; }
  /// Between two looks.
  void pause() const {
    if (waited() < kYieldFor) {
      std::this_thread::yield();
    } else {
      std::this_thread::sleep_for(kNap);
    }
  }

 private:
  static constexpr std::chrono::milliseconds kYieldFor{2};
  static constexpr std::chrono::microseconds kNap{50};

  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace negatron

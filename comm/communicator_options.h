#pragma once

#include <chrono>

namespace negatron {

struct CommunicatorOptions {
  /// Compare every call over the ranks before it runs. Costs a small exchange per collective; for tests and debugging.
  bool check = false;
  /// No collective is waited for longer than this; then the collective log is printed and `TimeoutError` thrown.
  std::chrono::milliseconds time_limit = std::chrono::minutes(10);
};

}  // namespace negatron

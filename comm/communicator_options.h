#pragma once

#include <chrono>

namespace negatron {

/// More than any collective takes, some thirty years: a clock's nanoseconds of 64 bits hold it, also added to the time
/// of now.
inline constexpr std::chrono::milliseconds kLongestTimeLimit = std::chrono::seconds(1'000'000'000);

struct CommunicatorOptions {
  /// Compare every call over the ranks before it runs. Costs a small exchange per collective; for tests and debugging.
  bool check = false;
  /// No collective is waited for longer than this; then the collective log is printed and `TimeoutError` thrown.
  /// One above kLongestTimeLimit is that.
  std::chrono::milliseconds time_limit = std::chrono::minutes(10);
};

}  // namespace negatron

#pragma once

#include <atomic>
#include <chrono>

namespace negatron {

/// How long a process that was told to end waits for others. Launchers end all ranks of a job in which one died, by the
/// SIGTERM with which they end any other: who would save first would wait for the dead one. Ranks that live meet soon,
/// in the step that they are in and while they save many times a second. Any thread; local.
class Farewell {
 public:
  using Duration = std::chrono::steady_clock::duration;

  /// This process was told to end.
  void begin() noexcept { begun_.store(true); }
  /// A collective came to its end after so long.
  void count(Duration wait) noexcept;
  /// How long one may take: `limit`; once told to end no longer than kLeast, or than twice what they have taken lately.
  Duration patience(std::chrono::milliseconds limit) const noexcept;

  static constexpr std::chrono::seconds kLeast{2};

 private:
  std::atomic<bool> begun_{false};
  /// The longest wait; one that was long ago counts for less.
  std::atomic<Duration::rep> longest_{0};
};

/// Of this process.
Farewell& farewell();

}  // namespace negatron

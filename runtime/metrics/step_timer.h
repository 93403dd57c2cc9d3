#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <vector>

namespace negatron {

/// The parts of a training step whose time is shown.
enum class Phase { kData, kForward, kBank, kBackward, kExchange, kOptimizer };

inline constexpr std::size_t kPhaseCount = 6;

/// "data", "forward", "bank", "backward", "exchange", "optimizer".
const char* name_of(Phase phase);

using PhaseMilliseconds = std::array<double, kPhaseCount>;  // indexed by Phase

/// Times the phases of one step. A phase that starts inside another one pauses it, so the phases of a step add up to
/// no more than the step. Host time by a monotonic clock: on a GPU a phase shows what it cost to queue. Local.
class StepTimer {
 public:
  using Clock = std::function<std::chrono::steady_clock::time_point()>;

  explicit StepTimer(Clock clock = std::chrono::steady_clock::now);

  /// Ends its phase when it goes out of scope. Scopes end in reverse order of their start.
  class Scope {
   public:
    Scope(StepTimer& timer, Phase phase);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    StepTimer& timer_;
  };

  [[nodiscard]] Scope scope(Phase phase) { return Scope(*this, phase); }
  /// Forgets the phases of the step before.
  void start_step();
  /// Since `start_step`.
  const PhaseMilliseconds& milliseconds() const noexcept { return milliseconds_; }
  /// Wall time since `start_step`.
  double step_milliseconds() const;

 private:
  void charge_running_phase();

  Clock clock_;
  std::chrono::steady_clock::time_point step_start_;
  std::chrono::steady_clock::time_point last_change_;
  std::vector<Phase> running_;
  PhaseMilliseconds milliseconds_{};
};

}  // namespace negatron

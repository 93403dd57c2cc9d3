#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>

namespace negatron {

/// The parts of a training step whose time is shown.
enum class Phase { kData, kForward, kBank, kBackward, kExchange, kOptimizer };

inline constexpr std::size_t kPhaseCount = 6;

/// "data", "forward", "bank", "backward", "exchange", "optimizer".
const char* name_of(Phase phase);

using PhaseMilliseconds = std::array<double, kPhaseCount>;  // indexed by Phase

/// Times the phases of one step, one after another: the phases of a step add up to no more than the step, and a phase
/// that is entered twice adds up. Host time by a monotonic clock: on a GPU a phase shows what it cost to queue. Local.
class StepTimer {
 public:
  using Clock = std::function<std::chrono::steady_clock::time_point()>;

  explicit StepTimer(Clock clock = std::chrono::steady_clock::now);

  /// Forgets the phases of the step before, also one that still runs because the step threw.
  void start_step();
  /// Ends the phase that runs, if any, and begins this one.
  void enter(Phase phase);
  /// Ends the phase that runs, if any: what follows is nobody's.
  void leave();

  /// Since `start_step`, of phases that have ended.
  const PhaseMilliseconds& milliseconds() const noexcept { return milliseconds_; }
  /// Wall time since `start_step`.
  double step_milliseconds() const;

 private:
  Clock clock_;
  std::chrono::steady_clock::time_point step_start_;
  std::chrono::steady_clock::time_point phase_start_;
  std::optional<Phase> running_;
  PhaseMilliseconds milliseconds_{};
};

}  // namespace negatron

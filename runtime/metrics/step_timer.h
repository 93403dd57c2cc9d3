#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "runtime/metrics/device_marks.h"

namespace negatron {

/// The parts of a training step whose time is shown.
enum class Phase { kData, kForward, kBank, kBackward, kExchange, kOptimizer };

inline constexpr std::size_t kPhaseCount = 6;

/// "data", "forward", "bank", "backward", "exchange", "optimizer".
const char* name_of(Phase phase);

using PhaseMilliseconds = std::array<double, kPhaseCount>;  // indexed by Phase

/// Times the phases of one step, one after another; a phase that is entered twice adds up. Host time by a monotonic
/// clock, by which the phases of a step add up to no more than the step; with marks of a device, of all phases but
/// kData, the time between two places in the device's work. The host waits for none of it: what the device has not done
/// when a phase is left counts in the step after, so that what follows a step's last wait shows one line late. Local.
class StepTimer {
 public:
  using Clock = std::function<std::chrono::steady_clock::time_point()>;

  /// `marks` may be null.
  explicit StepTimer(Clock clock = std::chrono::steady_clock::now, std::unique_ptr<DeviceMarks> marks = nullptr);

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
  /// A phase between two marks, not both of which were reached when it was left.
  struct Stretch {
    Phase phase;
    std::shared_ptr<const DeviceMark> begin;
    std::shared_ptr<const DeviceMark> end;
  };

  /// Whether the phase that runs is timed by the device.
  bool runs_on_device() const { return marks_ != nullptr && *running_ != Phase::kData; }
  void count_reached();
  double& time_of(Phase phase) { return milliseconds_[static_cast<std::size_t>(phase)]; }

  Clock clock_;
  std::unique_ptr<DeviceMarks> marks_;
  std::shared_ptr<const DeviceMark> begin_;
  std::vector<Stretch> under_way_;
  std::chrono::steady_clock::time_point step_start_;
  std::chrono::steady_clock::time_point phase_start_;
  std::optional<Phase> running_;
  PhaseMilliseconds milliseconds_{};
};

}  // namespace negatron

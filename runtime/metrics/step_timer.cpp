#include "runtime/metrics/step_timer.h"

#include <utility>

namespace negatron {

namespace {

double milliseconds_between(std::chrono::steady_clock::time_point from, std::chrono::steady_clock::time_point to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

}  // namespace

const char* name_of(Phase phase) {
  switch (phase) {
    case Phase::kData:
      return "data";
    case Phase::kForward:
      return "forward";
    case Phase::kBank:
      return "bank";
    case Phase::kBackward:
      return "backward";
    case Phase::kExchange:
      return "exchange";
    case Phase::kOptimizer:
      return "optimizer";
  }
  return "unknown";
}

StepTimer::StepTimer(Clock clock, std::unique_ptr<DeviceMarks> marks)
    : clock_(std::move(clock)), marks_(std::move(marks)), step_start_(clock_()), phase_start_(step_start_) {}

void StepTimer::start_step() {
  running_.reset();
  milliseconds_.fill(0.0);
  step_start_ = clock_();
}

void StepTimer::enter(Phase phase) {
  leave();
  running_ = phase;
  phase_start_ = clock_();
  if (runs_on_device()) begin_ = marks_->mark();
}

void StepTimer::leave() {
  if (!running_) return;
  if (runs_on_device()) {
    under_way_.push_back({*running_, begin_, marks_->mark()});
    count_reached();
  } else {
    time_of(*running_) += milliseconds_between(phase_start_, clock_());
  }
  running_.reset();
}

void StepTimer::count_reached() {
  // Marks are reached in their order.
  auto next = under_way_.begin();
  for (; next != under_way_.end() && next->end->reached(); ++next) {
    time_of(next->phase) += next->end->milliseconds_since(*next->begin);
  }
  under_way_.erase(under_way_.begin(), next);
}

double StepTimer::step_milliseconds() const {
  return milliseconds_between(step_start_, clock_());
}

}  // namespace negatron

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

StepTimer::StepTimer(Clock clock) : clock_(std::move(clock)), step_start_(clock_()), last_change_(step_start_) {}

StepTimer::Scope::Scope(StepTimer& timer, Phase phase) : timer_(timer) {
  timer_.charge_running_phase();
  timer_.running_.push_back(phase);
}

StepTimer::Scope::~Scope() {
  timer_.charge_running_phase();
  timer_.running_.pop_back();
}

void StepTimer::start_step() {
  milliseconds_.fill(0.0);
  step_start_ = last_change_ = clock_();
}

double StepTimer::step_milliseconds() const {
  return milliseconds_between(step_start_, clock_());
}

void StepTimer::charge_running_phase() {
  const auto now = clock_();
  if (!running_.empty()) {
    milliseconds_[static_cast<std::size_t>(running_.back())] += milliseconds_between(last_change_, now);
  }
  last_change_ = now;
}

}  // namespace negatron

#include "runtime/metrics/step_timer.h"

#include <cmath>

#include <gtest/gtest.h>

namespace negatron::testing {
namespace {

double of(const StepTimer& timer, Phase phase) {
  return timer.milliseconds()[static_cast<std::size_t>(phase)];
}

TEST(StepTimer, AddsUpPhasesAndEndsOneWhereTheNextBegins) {
  std::chrono::steady_clock::time_point now{};
  const auto pass = [&](int passed) { now += std::chrono::milliseconds(passed); };
  StepTimer timer([&] { return now; });
  pass(1000);
  timer.start_step();
  timer.enter(Phase::kData);
  pass(3);
  timer.leave();
  pass(1);
  timer.enter(Phase::kBank);
  pass(12);
  timer.enter(Phase::kExchange);
  pass(4);
  timer.enter(Phase::kData);
  pass(5);
  timer.leave();
  EXPECT_DOUBLE_EQ(of(timer, Phase::kData), 8);
  EXPECT_DOUBLE_EQ(of(timer, Phase::kBank), 12);
  EXPECT_DOUBLE_EQ(of(timer, Phase::kExchange), 4);
  EXPECT_DOUBLE_EQ(of(timer, Phase::kForward), 0);
  EXPECT_DOUBLE_EQ(timer.step_milliseconds(), 25);
  timer.start_step();
  EXPECT_DOUBLE_EQ(of(timer, Phase::kData), 0);
  EXPECT_DOUBLE_EQ(timer.step_milliseconds(), 0);
}

TEST(StepTimer, LeavingTwiceCountsOnce) {
  std::chrono::steady_clock::time_point now{};
  StepTimer timer([&] { return now; });
  timer.leave();
  timer.enter(Phase::kForward);
  now += std::chrono::milliseconds(2);
  timer.leave();
  now += std::chrono::milliseconds(50);
  timer.leave();
  EXPECT_DOUBLE_EQ(of(timer, Phase::kForward), 2);
}

TEST(StepTimer, ForgetsAPhaseThatThrew) {
  std::chrono::steady_clock::time_point now{};
  StepTimer timer([&] { return now; });
  try {
    timer.enter(Phase::kForward);
    now += std::chrono::milliseconds(2);
    throw std::runtime_error("stop");
  } catch (const std::runtime_error&) {
    now += std::chrono::milliseconds(50);
  }
  timer.start_step();
  timer.enter(Phase::kData);
  now += std::chrono::milliseconds(3);
  timer.leave();
  EXPECT_DOUBLE_EQ(of(timer, Phase::kForward), 0);
  EXPECT_DOUBLE_EQ(of(timer, Phase::kData), 3);
}

/// A device that does its work `behind` milliseconds after it was queued.
class LateMark : public DeviceMark {
 public:
  LateMark(const double& now, double at) : now_(now), at_(at) {}
  bool reached() const override { return now_ >= at_; }
  double milliseconds_since(const DeviceMark& earlier) const override {
    return at_ - static_cast<const LateMark&>(earlier).at_;
  }

 private:
  const double& now_;
  double at_;
};

class LateMarks : public DeviceMarks {
 public:
  LateMarks(const double& now, const double& behind) : now_(now), behind_(behind) {}
  std::shared_ptr<const DeviceMark> mark() override { return std::make_shared<LateMark>(now_, now_ + behind_); }

 private:
  const double& now_;
  const double& behind_;
};

TEST(StepTimer, OnADevicePhasesAreTimedThereAndWhatIsNotDoneCountsInTheNextStep) {
  double now = 0.0;
  double behind = 0.0;
  const auto clock = [&] {
    return std::chrono::steady_clock::time_point(std::chrono::microseconds(std::llround(1e3 * now)));
  };
  StepTimer timer(clock, std::make_unique<LateMarks>(now, behind));
  timer.start_step();
  timer.enter(Phase::kData);
  now += 3;
  timer.enter(Phase::kForward);
  // Queued in 1 ms, but the device needs 20.
  now += 1, behind = 19;
  timer.enter(Phase::kExchange);
  EXPECT_DOUBLE_EQ(of(timer, Phase::kData), 3) << "the host's own";
  EXPECT_DOUBLE_EQ(of(timer, Phase::kForward), 0) << "not done yet";
  // The step's one wait.
  now += 19, behind = 0;
  timer.enter(Phase::kOptimizer);
  now += 1, behind = 7;
  timer.leave();
  EXPECT_DOUBLE_EQ(of(timer, Phase::kForward), 20);
  EXPECT_DOUBLE_EQ(of(timer, Phase::kExchange), 0);
  EXPECT_DOUBLE_EQ(of(timer, Phase::kOptimizer), 0) << "nobody waits for it";
  timer.start_step();
  now += 10, behind = 0;
  timer.enter(Phase::kForward);
  now += 2;
  timer.leave();
  EXPECT_DOUBLE_EQ(of(timer, Phase::kOptimizer), 8) << "of the step before";
  EXPECT_DOUBLE_EQ(of(timer, Phase::kForward), 2);
}

TEST(StepTimer, OnlyADeviceHasMarks) {
  EXPECT_EQ(device_marks_of(at::kCPU), nullptr);
}

}  // namespace
}  // namespace negatron::testing

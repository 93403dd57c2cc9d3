#include "runtime/metrics/step_timer.h"

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

}  // namespace
}  // namespace negatron::testing

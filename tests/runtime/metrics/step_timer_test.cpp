#include "runtime/metrics/step_timer.h"

#include <gtest/gtest.h>

namespace negatron::testing {
namespace {

double of(const StepTimer& timer, Phase phase) {
  return timer.milliseconds()[static_cast<std::size_t>(phase)];
}

TEST(StepTimer, AddsUpPhasesAndPausesTheOuterOne) {
  std::chrono::steady_clock::time_point now{};
  const auto pass = [&](int passed) { now += std::chrono::milliseconds(passed); };
  StepTimer timer([&] { return now; });
  pass(1000);
  timer.start_step();
  {
    const auto data = timer.scope(Phase::kData);
    pass(3);
  }
  pass(1);
  {
    const auto bank = timer.scope(Phase::kBank);
    pass(10);
    {
      const auto exchange = timer.scope(Phase::kExchange);
      pass(4);
    }
    pass(2);
  }
  {
    const auto data = timer.scope(Phase::kData);
    pass(5);
  }
  EXPECT_DOUBLE_EQ(of(timer, Phase::kData), 8);
  EXPECT_DOUBLE_EQ(of(timer, Phase::kBank), 12);
  EXPECT_DOUBLE_EQ(of(timer, Phase::kExchange), 4);
  EXPECT_DOUBLE_EQ(of(timer, Phase::kForward), 0);
  EXPECT_DOUBLE_EQ(timer.step_milliseconds(), 25);
  timer.start_step();
  EXPECT_DOUBLE_EQ(of(timer, Phase::kData), 0);
  EXPECT_DOUBLE_EQ(timer.step_milliseconds(), 0);
}

TEST(StepTimer, EndsAPhaseThatThrows) {
  std::chrono::steady_clock::time_point now{};
  StepTimer timer([&] { return now; });
  try {
    const auto forward = timer.scope(Phase::kForward);
    now += std::chrono::milliseconds(2);
    throw std::runtime_error("stop");
  } catch (const std::runtime_error&) {
    now += std::chrono::milliseconds(50);
  }
  const auto data = timer.scope(Phase::kData);
  EXPECT_DOUBLE_EQ(of(timer, Phase::kForward), 2);
}

}  // namespace
}  // namespace negatron::testing

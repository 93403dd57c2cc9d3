#include "runtime/training/schedule.h"

#include <cmath>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

namespace negatron {
namespace {

LearningRateOptions example() {
  LearningRateOptions options;
  options.base = 0.06;
  options.minimum = 0.002;
  options.warmup_steps = 4;
  options.total_steps = 12;
  options.global_batch = 512;
  return options;
}

TEST(LearningRate, WarmsUpLinearlyFromAboveZeroToThePeak) {
  const LearningRateSchedule rate(example());
  // 0.06 for a batch of 256 is 0.12 for one of 512.
  EXPECT_DOUBLE_EQ(rate.at(0), 0.03);
  EXPECT_DOUBLE_EQ(rate.at(1), 0.06);
  EXPECT_DOUBLE_EQ(rate.at(3), 0.12);
}

TEST(LearningRate, FallsAlongACosineToTheMinimumAndStaysThere) {
  const LearningRateSchedule rate(example());
  EXPECT_DOUBLE_EQ(rate.at(4), 0.12);
  EXPECT_NEAR(rate.at(6), 0.002 + 0.118 * (1.0 + std::sqrt(0.5)) / 2.0, 1e-15);  // a quarter of the way
  EXPECT_NEAR(rate.at(8), 0.061, 1e-15);                                         // half way
  EXPECT_NEAR(rate.at(12), 0.002, 1e-15);
  EXPECT_NEAR(rate.at(1000), 0.002, 1e-15);
}

TEST(LearningRate, WarmUpMayBeAbsentOrTheWholeRun) {
  LearningRateOptions options = example();
  options.warmup_steps = 0;
  EXPECT_DOUBLE_EQ(LearningRateSchedule(options).at(0), 0.12);
  options.warmup_steps = 12;
  EXPECT_DOUBLE_EQ(LearningRateSchedule(options).at(11), 0.12);
  EXPECT_TRUE(std::isfinite(LearningRateSchedule(options).at(12)));
}

TEST(LearningRate, RefusesOptionsByFlag) {
  const auto refusal = [](auto change) {
    LearningRateOptions options = example();
    change(options);
    try {
      options.validate();
    } catch (const std::invalid_argument& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  EXPECT_NE(refusal([](auto& o) { o.base = 0.0; }).find("--lr"), std::string::npos);
  EXPECT_NE(refusal([](auto& o) { o.base = std::nan(""); }).find("--lr"), std::string::npos);
  EXPECT_NE(refusal([](auto& o) { o.minimum = 0.13; }).find("--min-lr"), std::string::npos);
  EXPECT_NE(refusal([](auto& o) { o.minimum = -1.0; }).find("--min-lr"), std::string::npos);
  EXPECT_NE(refusal([](auto& o) { o.warmup_steps = -1; }).find("--warmup-epochs"), std::string::npos);
  EXPECT_NE(refusal([](auto& o) { o.total_steps = 0; }).find("--epochs"), std::string::npos);
  EXPECT_NE(refusal([](auto& o) { o.global_batch = 0; }).find("--global-batch"), std::string::npos);
  EXPECT_EQ(refusal([](auto&) {}), "accepted");
}

TEST(KeyMomentum, IsConstantOrRisesToOne) {
  const MomentumOptions constant{.start = 0.99, .schedule = MomentumSchedule::kConstant, .total_steps = 0};
  EXPECT_EQ(momentum_at(constant, 0), 0.99);
  EXPECT_EQ(momentum_at(constant, 1'000'000), 0.99);
  const MomentumOptions cosine{.start = 0.96, .schedule = MomentumSchedule::kCosine, .total_steps = 8};
  EXPECT_NEAR(momentum_at(cosine, 0), 0.96, 1e-15);
  EXPECT_NEAR(momentum_at(cosine, 2), 1.0 - 0.04 * (std::sqrt(0.5) + 1.0) / 2.0, 1e-15);
  EXPECT_NEAR(momentum_at(cosine, 4), 0.98, 1e-15);
  EXPECT_NEAR(momentum_at(cosine, 8), 1.0, 1e-15);
  EXPECT_NEAR(momentum_at(cosine, 9), 1.0, 1e-15);
}

TEST(KeyMomentum, RefusesOptionsByFlag) {
  EXPECT_THROW((MomentumOptions{.start = 1.5}.validate()), std::invalid_argument);
  EXPECT_THROW((MomentumOptions{.start = 0.9, .schedule = MomentumSchedule::kCosine}.validate()),
               std::invalid_argument);
  EXPECT_NO_THROW((MomentumOptions{.start = 0.9}.validate()));
}

}  // namespace
}  // namespace negatron

#include "samplers/negative_samplers/adapting/annealing.h"

#include <cmath>
#include <limits>
#include <sstream>
#include <stdexcept>

#include <gtest/gtest.h>

#include "samplers/negative_samplers/adapting/exp3.h"
#include "samplers/negative_samplers/adapting/saved_number.h"

namespace negatron {
namespace {

TEST(Annealing, EveryShapeGoesFromStartToEndAndStaysThere) {
  for (const std::string& name : annealing_shapes()) {
    const AnnealingShape shape = parse_annealing_shape(name);
    EXPECT_NEAR(annealed(shape, 1.0, 0.1, 1.0), 0.1, 1e-4) << name;
    EXPECT_NEAR(annealed(shape, 1.0, 0.1, 7.0), 0.1, 1e-4) << name;
    double before = annealed(shape, 1.0, 0.1, 0.0);
    EXPECT_EQ(before, shape == AnnealingShape::kNone ? 0.1 : 1.0) << name;
    for (double way = 0.05; way <= 1.0; way += 0.05) {
      const double now = annealed(shape, 1.0, 0.1, way);
      EXPECT_LE(now, before) << name << " at " << way;
      before = now;
    }
  }
  EXPECT_DOUBLE_EQ(annealed(AnnealingShape::kLinear, 1.0, 0.0, 0.25), 0.75);
  EXPECT_DOUBLE_EQ(annealed(AnnealingShape::kCosine, 1.0, 0.0, 0.5), 0.5);
  EXPECT_THROW(parse_annealing_shape("sudden"), std::invalid_argument);
}

TEST(Annealing, GoesByItsShapeOrAfterTheLoss) {
  Annealing by_shape("linear", "adaptive", {1.0, 0.0, 4.0});
  Annealing after_loss("adaptive", "adaptive", {1.0, 0.0, 4.0});
  for (int step = 0; step < 11; ++step) {
    EXPECT_EQ(after_loss.at(3.0), 1.0) << "the window must fill first";
    by_shape.observe(-step);
    after_loss.observe(-step);
  }
  EXPECT_DOUBLE_EQ(by_shape.at(1.0), 0.75);
  EXPECT_DOUBLE_EQ(after_loss.at(3.0), 0.99);
  EXPECT_EQ(Annealing("linear", "adaptive", {1.0, 0.25, 0.0}).at(0.0), 0.25) << "a way of no epochs is behind";
  Annealing again("adaptive", "adaptive", {1.0, 0.0, 4.0});
  again.restore(after_loss.state());
  EXPECT_EQ(again.at(0.0), after_loss.at(0.0));
}

TEST(AdaptiveValue, FollowsTheMetricWithinItsBounds) {
  AdaptiveValue value(1.0, 0.5, 3, 0.1);
  for (int i = 0; i < 3; ++i) value.observe(2.0);
  EXPECT_EQ(value.value(), 1.0) << "the window must fill first";
  value.observe(1.0);
  EXPECT_DOUBLE_EQ(value.value(), 0.9);
  value.observe(5.0);
  EXPECT_DOUBLE_EQ(value.value(), 1.0);
  for (int i = 0; i < 20; ++i) value.observe(-i);
  EXPECT_DOUBLE_EQ(value.value(), 0.5);
}

TEST(AdaptiveValue, PassesOverWhatIsNotFinite) {
  AdaptiveValue value(1.0, 0.1, 2, 0.01), same(1.0, 0.1, 2, 0.01);
  for (int i = 0; i < 6; ++i) {
    value.observe(1.0 / (1 + i));
    value.observe(std::numeric_limits<double>::quiet_NaN());
    same.observe(1.0 / (1 + i));
  }
  EXPECT_EQ(value.value(), same.value());
  EXPECT_EQ(value.state(), same.state());
}

TEST(AdaptiveValue, ContinuesFromItsState) {
  AdaptiveValue value(1.0, 0.1, 4, 0.01);
  for (int i = 0; i < 9; ++i) value.observe(1.0 / (1 + i));
  AdaptiveValue again(1.0, 0.1, 4, 0.01);
  again.restore(value.state());
  for (int i = 0; i < 5; ++i) {
    value.observe(0.3 * i);
    again.observe(0.3 * i);
    EXPECT_EQ(value.value(), again.value());
  }
  for (const char* damaged : {"", "?", "nan 1", "0.5 1 ? 2", "0.5 1x"}) {
    EXPECT_THROW(again.restore(damaged), std::invalid_argument) << damaged;
  }
}

TEST(AdaptiveValue, WhatIsNotANumberInAStateEndsNoReading) {
  // As versions wrote it that took skipped steps into the window.
  AdaptiveValue value(1.0, 0.1, 4, 0.01), same(1.0, 0.1, 4, 0.01);
  value.restore("0.75 0.5 -nan 0.25 nan inf 0.125");
  same.restore("0.75 0.5 0.25 0.125");
  EXPECT_EQ(value.state(), same.state());
}

TEST(SavedNumber, ReadsBackWhatAStreamWrites) {
  const double infinite = std::numeric_limits<double>::infinity();
  for (const double written : {0.1, -1e-300, 1e300, 0.0, infinite, -infinite, std::nan(""), -std::nan("")}) {
    std::stringstream text;
    text.precision(17);
    text << written << ' ' << 7;
    double number = 3.0;
    ASSERT_TRUE(read_saved_number(text, number)) << text.str();
    EXPECT_TRUE(number == written || (std::isnan(number) && std::isnan(written))) << text.str();
    EXPECT_TRUE(read_saved_number(text, number));
    EXPECT_EQ(number, 7.0) << "what follows is read on";
    EXPECT_FALSE(read_saved_number(text, number));
  }
}

TEST(Exp3, LearnsTheChoiceThatPays) {
  Exp3 bandit(4, 0.2, 7);
  int best = 0;
  constexpr int kRounds = 2000;
  for (int round = 0; round < kRounds; ++round) {
    best += bandit.choice() == 2 ? 1 : 0;
    bandit.reward(bandit.choice() == 2 ? 0.9 : 0.1);
  }
  // Chance alone would choose it 500 times.
  EXPECT_GT(best, 1000);
}

TEST(Exp3, ContinuesFromItsState) {
  Exp3 bandit(3, 0.2, 11);
  for (int round = 0; round < 50; ++round) bandit.reward(0.1 * static_cast<double>(bandit.choice()));
  Exp3 again(3, 0.2, 11);
  again.restore(bandit.state());
  for (int round = 0; round < 50; ++round) {
    EXPECT_EQ(again.choice(), bandit.choice());
    bandit.reward(0.4);
    again.reward(0.4);
  }
}

}  // namespace
}  // namespace negatron

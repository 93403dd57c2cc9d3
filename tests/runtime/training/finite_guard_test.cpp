#include "runtime/training/finite_guard.h"

#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "comm/threads/thread_communicator.h"
#include "runtime/training/training_error.h"

namespace negatron {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

at::Tensor parameter_with_gradient(float value) {
  at::Tensor parameter = at::zeros({3, 2}).requires_grad_();
  parameter.mutable_grad() = at::ones({3, 2});
  parameter.mutable_grad().select(0, 1).fill_(value);
  return parameter;
}

class AnyRank : public ::testing::TestWithParam<int> {};

TEST_P(AnyRank, WithABadLossMakesAllSkip) {
  for (const float bad : {kNan, kInfinity, -kInfinity}) {
    run_ranks(3, {.check = true}, [bad](Communicator& comm) {
      FiniteGuard guard(10);
      const at::Tensor loss = at::full({}, comm.rank() == GetParam() ? bad : 1.0F);
      EXPECT_FALSE(guard.accept(comm, loss, {parameter_with_gradient(1.0F)}, 0)) << "rank " << comm.rank();
      EXPECT_EQ(guard.skipped(), 1);
    });
  }
}

TEST_P(AnyRank, WithABadGradientMakesAllSkip) {
  for (const float bad : {kNan, kInfinity, -kInfinity}) {
    run_ranks(3, {.check = true}, [bad](Communicator& comm) {
      FiniteGuard guard(10);
      const at::Tensor bad_one = parameter_with_gradient(comm.rank() == GetParam() ? bad : 1.0F);
      const std::vector<at::Tensor> parameters = {parameter_with_gradient(1.0F), bad_one, at::zeros({2})};
      EXPECT_FALSE(guard.accept(comm, at::ones({}), parameters, 0)) << "rank " << comm.rank();
    });
  }
}

INSTANTIATE_TEST_SUITE_P(Ranks, AnyRank, ::testing::Values(0, 1, 2));

TEST(FiniteGuard, AcceptsLargeFiniteNumbersAndParametersWithoutGradient) {
  run_ranks(2, {.check = true}, [](Communicator& comm) {
    FiniteGuard guard(0);
    constexpr float kSquareOverflows = 1e30F;
    EXPECT_TRUE(guard.accept(comm, at::full({}, -kSquareOverflows), {parameter_with_gradient(kSquareOverflows)}, 0));
    EXPECT_TRUE(guard.accept(comm, at::ones({}, at::kDouble), {at::zeros({2})}, 1));
    EXPECT_TRUE(guard.accept(comm, at::ones({}), {}, 2));
    EXPECT_EQ(guard.skipped(), 0);
  });
}

TEST(FiniteGuard, WhatOneRankWishesAllAgreeOnWhetherTheStepIsGoodOrBad) {
  for (const float loss : {1.0F, kNan}) {
    run_ranks(3, {.check = true}, [loss](Communicator& comm) {
      FiniteGuard guard(1);
      StepWishes wishes;
      wishes.snapshot = comm.rank() == 1;
      wishes.stop = comm.rank() == 2;
      EXPECT_EQ(guard.accept(comm, at::full({}, loss), {}, 0, &wishes), loss == 1.0F);
      EXPECT_TRUE(wishes.snapshot && wishes.stop) << "rank " << comm.rank();
      EXPECT_FALSE(wishes.leave) << "rank " << comm.rank();
    });
  }
}

TEST(FiniteGuard, SumsComeAlongAsTheyAre) {
  run_ranks(2, {}, [](Communicator& comm) {
    FiniteGuard guard(1);
    const at::Tensor expected = at::tensor({0.1, -1e300, 3.0}, at::kDouble);
    StepWishes wishes;
    for (StepWishes* with : {static_cast<StepWishes*>(nullptr), &wishes}) {
      at::Tensor sums = expected.clone();
      EXPECT_TRUE(guard.accept(comm, at::ones({}), {}, 0, with, &sums));
      EXPECT_TRUE(at::equal(sums, expected));
    }
  });
}

TEST(FiniteGuard, AGoodStepEndsARowOfBadOnes) {
  run_ranks(2, {}, [](Communicator& comm) {
    FiniteGuard guard(2);
    const at::Tensor bad = at::full({}, kNan);
    EXPECT_FALSE(guard.accept(comm, bad, {}, 0));
    EXPECT_FALSE(guard.accept(comm, bad, {}, 1));
    EXPECT_EQ(guard.consecutive(), 2);
    EXPECT_TRUE(guard.accept(comm, at::ones({}), {}, 2));
    EXPECT_EQ(guard.consecutive(), 0);
    EXPECT_FALSE(guard.accept(comm, bad, {}, 3));
    EXPECT_EQ(guard.skipped(), 3);
  });
}

TEST(FiniteGuard, TooManyInARowEndTheRunOnEveryRank) {
  run_ranks(3, {}, [](Communicator& comm) {
    FiniteGuard guard(1);
    const at::Tensor loss = at::full({}, comm.rank() == 2 ? kNan : 1.0F);
    EXPECT_FALSE(guard.accept(comm, loss, {}, 40));
    try {
      guard.accept(comm, loss, {}, 41);
      ADD_FAILURE() << "rank " << comm.rank() << " went on";
    } catch (const TrainingError& error) {
      const std::string message = error.what();
      EXPECT_NE(message.find("Step 41"), std::string::npos) << message;
      EXPECT_NE(message.find("2 steps in a row"), std::string::npos) << message;
      EXPECT_NE(message.find("--max-skipped-steps"), std::string::npos) << message;
    }
  });
}

TEST(FiniteGuard, RefusesANegativeLimit) {
  EXPECT_THROW(FiniteGuard(-1), std::invalid_argument);
}

}  // namespace
}  // namespace negatron

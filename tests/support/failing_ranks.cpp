// Tests that fail on purpose, on rank 1 only: tests/support/CMakeLists.txt says what the harness must make of each.

#include <gtest/gtest.h>

#include "comm/mpi/mpi_communicator.h"
#include "tests/support/rank_test.h"

namespace negatron::testing {
namespace {

bool on_rank_1() {
  return world().rank() == 1;
}

TEST(Failing, Expect) {
  EXPECT_FALSE(on_rank_1()) << "expected on purpose";
}

TEST(Failing, Assert) {
  ASSERT_FALSE(on_rank_1()) << "asserted on purpose";
  EXPECT_EQ(world().size(), 2);
}

TEST(Failing, AssertBeforeACollective) {
  const CommunicatorOptions impatient = {.check = false, .time_limit = std::chrono::seconds(2)};
  const auto communicator = make_mpi_communicator(environment(), impatient);
  ASSERT_FALSE(on_rank_1()) << "asserted before a collective";
  communicator->barrier();
}

TEST(Failing, Throw) {
  if (on_rank_1()) throw std::runtime_error("thrown on purpose");
  world().barrier();
}

TEST(Failing, SkipOnOneRank) {
  if (on_rank_1()) GTEST_SKIP() << "skipped on one rank";
}

TEST(Skipping, OnAllRanks) {
  GTEST_SKIP() << "needs 2 GPUs, found 0";
}

TEST(Passing, OnAllRanks) {
  EXPECT_TRUE(on_all_ranks(world(), true));
  EXPECT_FALSE(on_all_ranks(world(), !on_rank_1()));
}

}  // namespace
}  // namespace negatron::testing

// main of test programs of one process.

#include <gtest/gtest.h>

#include "tests/support/time_limit.h"
#include "tests/support/verdict.h"

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  ::testing::UnitTest& tests = *::testing::UnitTest::GetInstance();
  tests.listeners().Append(new negatron::testing::TimeLimit("", negatron::testing::kTestTimeLimit));
  // The verdict is taken from the tests: gtest's own return value does not tell a skip from a pass.
  [[maybe_unused]] const int unused = RUN_ALL_TESTS();
  if (::testing::GTEST_FLAG(list_tests)) return 0;
  return negatron::testing::exit_code(tests);
}

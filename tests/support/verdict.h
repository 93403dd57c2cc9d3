#pragma once

#include <gtest/gtest.h>

namespace negatron::testing {

/// What CTest shows as skipped (SKIP_RETURN_CODE in rank_test.cmake).
constexpr int kSkipExitCode = 77;

/// The exit code of a test program whose tests have run: 0, 1 when one failed, 77 when all were skipped. No test at all
/// is a failure: a filter that matches nothing must not look green.
inline int exit_code(const ::testing::UnitTest& tests) {
  if (!tests.Passed() || tests.test_to_run_count() == 0) return 1;
  return tests.skipped_test_count() == tests.test_to_run_count() ? kSkipExitCode : 0;
}

}  // namespace negatron::testing

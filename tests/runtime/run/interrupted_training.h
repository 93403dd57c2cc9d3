#pragma once

#include <gtest/gtest.h>

#include "tests/runtime/training/small_training.h"

namespace negatron::testing {

/// In the third of four epochs, and not at its end.
inline constexpr std::int64_t kInterrupted = 11;

inline PretrainOptions resumed_options(const std::string& objective) {
  PretrainOptions options = small_options(objective);
  options.epochs = 4;
  options.knn_k = 5;
  options.evaluate_queries = 0;
  return options;
}

/// Steps [0, kInterrupted) with a snapshot at the end.
inline void run_first_part(SmallStart start) {
  start.options.max_steps = kInterrupted;
  EXPECT_EQ(run(start).steps_done, kInterrupted);
}

}  // namespace negatron::testing

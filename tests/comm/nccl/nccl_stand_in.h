#pragma once

namespace negatron::testing {

/// What the stand-in (nccl_stand_in.cpp) has seen go wrong or stay behind. Process-wide.
struct StandInState {
  /// Communicators neither destroyed nor aborted.
  int live = 0;
  /// Communicators aborted since the start of the process.
  int aborted = 0;
};

StandInState stand_in_state();

}  // namespace negatron::testing

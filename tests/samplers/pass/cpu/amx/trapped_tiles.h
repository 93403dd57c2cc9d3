#pragma once

#include <signal.h>

namespace negatron::testing {

/// While one lives, a processor without AMX runs its instructions: it stops at each with a signal (SIGILL), whose
/// handler reads the instruction, has EmulatedTiles carry it out and goes on behind it. So the compiled code of
/// AmxTiles is tested: which tile is which operand, and what the compiler keeps in memory around it. One at a time.
class TrappedTiles {
 public:
  TrappedTiles();
  ~TrappedTiles();
  TrappedTiles(const TrappedTiles&) = delete;
  TrappedTiles& operator=(const TrappedTiles&) = delete;

 private:
  struct sigaction before_ = {};
};

}  // namespace negatron::testing

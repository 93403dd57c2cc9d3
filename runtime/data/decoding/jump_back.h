#pragma once

#include <csetjmp>

namespace negatron {

/// Where a C library that cannot go on jumps back to: libjpeg and libpng must not return from a report of an error, and
/// exceptions must not pass through their frames. Local.
class JumpBack {
 public:
  /// Runs step(). Returns false where jump() ended it. Nothing in the step may have a destructor while the library is
  /// called: a jump runs none.
  template <typename Step>
  bool completes(Step step) {
    return run([](void* any) { (*static_cast<Step*>(any))(); }, &step);
  }

  /// Only from within a step.
  [[noreturn]] void jump() { std::longjmp(place_, 1); }

 private:
  // Not inlined, so that no variable of a caller lives in a register that the jump would set back.
  [[gnu::noinline]] bool run(void (*step)(void*), void* any) {
    if (setjmp(place_) != 0) return false;
    step(any);
    return true;
  }

  std::jmp_buf place_;
};

}  // namespace negatron

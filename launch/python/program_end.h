#pragma once

namespace negatron::python {

/// The interpreter is about to end, as the thread that calls this says. Threads that are daemons may still be in a
/// collective then: they stop waiting, and never come back into Python, where they would be torn out of the middle of
/// C++. Local.
void begin_program_end();

/// Whether it ends, and by another thread than this one. Local, from any thread.
bool ends_without_this_thread();

/// Lets other threads of Python run for as long as it lives, as pybind11's gil_scoped_release does. A thread whose
/// program has ended meanwhile stays in its destructor.
class WithoutLock {
 public:
  WithoutLock();
  WithoutLock(const WithoutLock&) = delete;
  WithoutLock& operator=(const WithoutLock&) = delete;
  ~WithoutLock();

 private:
  /// PyThreadState
  void* thread_;
};

}  // namespace negatron::python

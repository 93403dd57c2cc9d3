#include "launch/python/program_end.h"

#include <Python.h>
#include <unistd.h>

#include <atomic>
#include <thread>

namespace negatron::python {
namespace {

std::atomic<bool> ends{false};
// Written once, before `ends`.
std::thread::id ending_thread;

}  // namespace

void begin_program_end() {
  ending_thread = std::this_thread::get_id();
  ends.store(true);
}

bool ends_without_this_thread() {
  return ends.load() && std::this_thread::get_id() != ending_thread;
}

WithoutLock::WithoutLock() : thread_(PyEval_SaveThread()) {}

WithoutLock::~WithoutLock() {
  // An interpreter that ends leaves its lock to no other thread: CPython would end this one by unwinding its stack,
  // which no destructor survives. The process goes, and this thread with it.
  while (ends_without_this_thread()) pause();
  PyEval_RestoreThread(static_cast<PyThreadState*>(thread_));
}

}  // namespace negatron::python

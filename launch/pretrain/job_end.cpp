#include "launch/pretrain/job_end.h"

#include <unistd.h>

#include <chrono>
#include <thread>

#include "comm/mpi/environment.h"
#include "comm/mpi/launcher.h"
#include "launch/starter_rank.h"

namespace negatron {
namespace {

/// A launcher that lives answers at once.
constexpr std::chrono::seconds kAbortWithin{1};

}  // namespace

void say_at_once(const std::string& text) {
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
}

void end_process(int exit_code) {
  if (starter_rank().count > 1 && !is_mpirun(::getppid())) {
    std::thread([exit_code] {
      std::this_thread::sleep_for(kAbortWithin);
      ::_exit(exit_code);
    }).detach();
    Environment::abort_from_any_thread(exit_code);
  }
  ::_exit(exit_code);
}

}  // namespace negatron

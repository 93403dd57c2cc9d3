#include "launch/early_signals.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

// Sanitizers are not ready when these functions run.
#define NEGATRON_BEFORE_MAIN __attribute__((no_sanitize("address", "undefined", "thread")))

namespace negatron {
namespace {

constexpr int kKept[] = {SIGUSR1, SIGUSR2, SIGINT};

// No constructor runs for them, which would forget what came before it.
constinit std::atomic<bool> early_usr1{false};
constinit std::atomic<bool> early_usr2{false};
constinit std::atomic<bool> early_interrupt{false};

NEGATRON_BEFORE_MAIN std::atomic<bool>& kept_flag(int number) {
  return number == SIGUSR1 ? early_usr1 : number == SIGUSR2 ? early_usr2 : early_interrupt;
}

NEGATRON_BEFORE_MAIN void keep_early_signal(int number) {
  kept_flag(number).store(true, std::memory_order_relaxed);
}

// A handler, and not SIG_IGN, which programs that this one starts would inherit.
void let_the_call_fail(int) {}

NEGATRON_BEFORE_MAIN void handle_early(int number, void (*handler)(int)) {
  struct sigaction action;
  sigaction(number, nullptr, &action);
  const bool asks_to_save = number == SIGUSR1 || number == SIGUSR2;
  if (!asks_to_save && action.sa_handler == SIG_IGN) return;
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(number, &action, nullptr);
}

NEGATRON_BEFORE_MAIN void open_standard_descriptors() {
  for (const int number : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(number, F_GETFD) >= 0 || errno != EBADF) continue;
    // The lowest number that is free is this one.
    ::open("/dev/null", number == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

NEGATRON_BEFORE_MAIN void begin(int argc, char** argv, char**) {
  open_standard_descriptors();
  handle_early(SIGPIPE, let_the_call_fail);
  handle_early(SIGXFSZ, let_the_call_fail);
  sigset_t kept;
  sigemptyset(&kept);
  const bool is_pretrain = argc > 1 && std::strcmp(argv[1], "pretrain") == 0;
  for (const int number : kKept) {
    if (is_pretrain) handle_early(number, keep_early_signal);
    sigaddset(&kept, number);
  }
  // A starter that blocked them did so for the time until here: what waited comes now.
  sigprocmask(SIG_UNBLOCK, &kept, nullptr);
}

// The C library calls what stands in this section of a program first, before the constructors of all shared libraries.
__attribute__((section(".preinit_array"), used)) void (*const begin_before_libraries)(int, char**, char**) = begin;

}  // namespace

bool take_early_signal(int number) {
  return kept_flag(number).exchange(false);
}

void give_up_early_signals() {
  for (const int number : kKept) {
    struct sigaction action {};
    sigaction(number, nullptr, &action);
    if (action.sa_handler != keep_early_signal) continue;
    ::signal(number, SIG_DFL);
    if (take_early_signal(number)) ::raise(number);
  }
}

}  // namespace negatron

#include "launch/pretrain/signal_watch.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <stdexcept>

#include "launch/early_signals.h"
#include "launch/exit_code.h"
#include "launch/starter_rank.h"

namespace negatron {
namespace {

/// mpirun kills what is left after two seconds, an operator expects one.
constexpr std::chrono::milliseconds kLeaveWithin{800};
constexpr char kEnd = 'e';
constexpr char kInterrupt = 'i';
constexpr char kSnapshot = 's';
constexpr char kStop = 't';

/// Of the one watch that lives; a signal handler can reach nothing else.
int write_end = -1;
/// The process that it watches for. MPI and libraries fork helpers, which have its handlers, its pipe and its terminal
/// until they exec: what such a child heard is no second signal to this process.
std::atomic<pid_t> watched{0};
/// Who sent the SIGTERM: 0 for the kernel, or a process that this one cannot see.
std::atomic<pid_t> stopped_by{0};

void tell(char what) {
  // A full pipe means that the same was said often enough.
  [[maybe_unused]] const ssize_t written = ::write(write_end, &what, 1);
}

// A handler may interrupt malloc or a lock of MPI, so it only writes one byte, which is allowed there, and the thread
// that reads it does the rest. The code that it interrupts may be about to look at errno.
extern "C" void on_signal(int number, siginfo_t* what, void*) {
  if (::getpid() != watched.load()) return;
  // The handler may interrupt a call between its failure and the look at errno, which write() below would change.
  const int saved = errno;
  if (number == SIGTERM) stopped_by.store(what->si_pid);
  tell(number == SIGUSR1 ? kSnapshot : number == SIGINT ? kInterrupt : kStop);
  errno = saved;
}

void watch_for(int number) {
  struct sigaction action {};
  action.sa_sigaction = on_signal;
  // Reads and writes that the signal interrupts go on by themselves.
  action.sa_flags = SA_RESTART | SA_SIGINFO;
  sigemptyset(&action.sa_mask);
  sigaction(number, &action, nullptr);
}

/// mpirun ends all ranks of a job in which one failed, and has said so: more words would hide what failed.
bool is_stopped_by_mpirun() {
  return starter_rank().count > 1 && stopped_by.load() == ::getppid();
}

bool is_ignored(int number) {
  struct sigaction action {};
  sigaction(number, nullptr, &action);
  return action.sa_handler == SIG_IGN;
}

void say(const char* text) {
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text, std::strlen(text));
}

}  // namespace

SignalWatch::SignalWatch() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    throw std::runtime_error(std::string("Signals cannot be watched: ") + std::strerror(errno) + ".");
  }
  read_end_ = ends[0];
  write_end = ends[1];
  // A handler must never block; the end that is read stays blocking, since the thread has nothing else to do.
  ::fcntl(write_end, F_SETFL, O_NONBLOCK);
  // Handlers come last: from the first signal on there is a pipe, and somebody who reads it.
  watched.store(::getpid());
  thread_ = std::thread([this] { watch(); });
  watch_for(SIGUSR1);
  watch_for(SIGTERM);
  if (!is_ignored(SIGINT)) watch_for(SIGINT);
  // From here on none is kept.
  if (take_early_signal(SIGUSR1)) tell(kSnapshot);
  if (take_early_signal(SIGINT)) tell(kInterrupt);
}

SignalWatch::~SignalWatch() {
  // What comes from here on must not end a process that is leaving in order.
  for (const int number : {SIGUSR1, SIGTERM, SIGINT}) ::signal(number, SIG_IGN);
  tell(kEnd);
  thread_.join();
  ::close(write_end);
  ::close(read_end_);
}

void SignalWatch::watch() {
  for (char what = 0; ::read(read_end_, &what, 1) == 1 && what != kEnd;) {
    // SIGUSR1 only leaves a wish, which the step that runs takes to all ranks. SIGTERM does so too, and starts the
    // clock below; a second SIGTERM starts no second clock.
    if (what == kSnapshot) requests_.snapshot.store(true);
    if (what == kInterrupt) interrupted();
    if (what != kStop || requests_.stop.exchange(true)) continue;
    // Until then every rank that can leaves in order, between two steps.
    std::thread([] {
      std::this_thread::sleep_for(kLeaveWithin);
      if (!is_stopped_by_mpirun()) say("negatron: SIGTERM: not waiting any longer; the snapshots are whole.\n");
      // No destructors and no MPI_Finalize: both could wait for ranks that are gone.
      ::_exit(kExitStopped);
    }).detach();
  }
}

void SignalWatch::interrupted() {
  const bool speaks = starter_rank().rank == 0;
  if (!requests_.leave.exchange(true)) {
    // The step that runs, or the evaluation before the first one, may take a while.
    if (speaks) say("\nnegatron: Ctrl-C: the run is saved behind this step, and ends; once more leaves at once.\n");
    return;
  }
  if (speaks) say("\nnegatron: Ctrl-C: left at once; the snapshots are whole.\n");
  ::_exit(kExitInterrupted);
}

}  // namespace negatron

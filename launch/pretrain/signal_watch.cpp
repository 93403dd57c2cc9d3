#include "launch/pretrain/signal_watch.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "comm/farewell.h"
#include "comm/mpi/launcher.h"
#include "launch/early_signals.h"
#include "launch/exit_code.h"
#include "launch/pretrain/job_end.h"
#include "launch/starter_rank.h"

namespace negatron {
namespace {

/// Slurm tells each process and srun all of them, shells their process group: one order may come more than once.
constexpr std::chrono::seconds kOneOrder{1};
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
  tell(number == SIGTERM ? kStop : number == SIGINT ? kInterrupt : kSnapshot);
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

bool is_ignored(int number) {
  struct sigaction action {};
  sigaction(number, nullptr, &action);
  return action.sa_handler == SIG_IGN;
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
  for (const int number : {SIGUSR1, SIGUSR2, SIGTERM}) watch_for(number);
  if (!is_ignored(SIGINT)) watch_for(SIGINT);
  // From here on none is kept.
  for (const int number : {SIGUSR1, SIGUSR2}) {
    if (take_early_signal(number)) tell(kSnapshot);
  }
  if (take_early_signal(SIGINT)) tell(kInterrupt);
}

SignalWatch::~SignalWatch() {
  // What comes from here on must not end a process that is leaving in order.
  for (const int number : {SIGUSR1, SIGUSR2, SIGTERM, SIGINT}) ::signal(number, SIG_IGN);
  tell(kEnd);
  thread_.join();
  ::close(write_end);
  ::close(read_end_);
}

void SignalWatch::honour(const TermPolicy& policy) {
  const std::lock_guard lock(mutex_);
  policy_ = policy;
}

void SignalWatch::run_is_over() {
  const std::lock_guard lock(mutex_);
  is_over_ = true;
}

void SignalWatch::watch() {
  for (char what = 0; ::read(read_end_, &what, 1) == 1 && what != kEnd;) {
    // SIGUSR1 only leaves a wish, which the step that runs takes to all ranks.
    if (what == kSnapshot) requests_.snapshot.store(true);
    if (what == kInterrupt) interrupted();
    if (what == kStop) terminated();
  }
}

void SignalWatch::interrupted() {
  const bool speaks = starter_rank().rank == 0;
  if (!requests_.leave.exchange(true)) {
    // The step that runs, or the evaluation before the first one, may take a while.
    if (speaks) say_at_once("\nnegatron: Ctrl-C: the run is saved behind this step; once more leaves at once.\n");
    return;
  }
  if (speaks) say_at_once("\nnegatron: Ctrl-C: left at once; the snapshots are whole.\n");
  end_process(kExitInterrupted);
}

// A job in which a rank failed is ended by mpirun, which has said so: more words would hide what failed. Nobody can
// save then; where mpirun itself was told to end, it kills what is left soon.
TermPolicy SignalWatch::policy_now(bool by_mpirun) {
  const std::lock_guard lock(mutex_);
  return {policy_.saves, by_mpirun ? std::min(TermPolicy{}.grace, policy_.grace) : policy_.grace};
}

// It leaves a wish, as SIGUSR1 does, and starts the clock. Until that is over every rank that can leaves in order.
void SignalWatch::terminated() {
  const bool by_mpirun = is_mpirun(stopped_by.load());
  if (terminated_at_) {
    const std::lock_guard lock(mutex_);
    if (is_over_ || Clock::now() - *terminated_at_ < kOneOrder) return;
    if (!by_mpirun) say_at_once("negatron: a second SIGTERM: left at once; the snapshots are whole.\n");
    end_process(kExitStopped);
  }
  terminated_at_ = Clock::now();
  farewell().begin();
  const TermPolicy policy = policy_now(by_mpirun);
  if (policy.saves) {
    requests_.terminated.store(true);
    requests_.leave.store(true);
  } else {
    requests_.stop.store(true);
  }
  std::thread([grace = policy.grace, by_mpirun] {
    std::this_thread::sleep_for(grace);
    if (!by_mpirun) say_at_once("negatron: SIGTERM: not waiting any longer; the snapshots are whole.\n");
    end_process(kExitStopped);
  }).detach();
}

}  // namespace negatron

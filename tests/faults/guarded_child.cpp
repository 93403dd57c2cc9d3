#include "tests/faults/guarded_child.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace negatron::testing {
namespace {

constexpr int kMostCode = 2;
/// What a child ends with when something was thrown that it does not know.
constexpr int kThrew = 99;
constexpr std::chrono::milliseconds kLook{2};
/// The kernel ends what the parent may be too slow to see.
constexpr rlim_t kMostAddressSpaceBeyond = rlim_t{4} << 30U;

std::int64_t own_bytes(int field) {
  std::ifstream file("/proc/self/statm");
  std::int64_t pages = 0;
  for (int i = 0; i <= field; ++i) file >> pages;
  return pages * ::sysconf(_SC_PAGESIZE);
}

void limit(int resource, rlim_t most) {
  const rlimit both{most, most};
  ::setrlimit(static_cast<__rlimit_resource>(resource), &both);
}

[[noreturn]] void be_the_child(const ChildLimits& limits, const std::function<int()>& work) {
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_FSIZE, static_cast<rlim_t>(limits.file_bytes));
  limit(RLIMIT_AS, static_cast<rlim_t>(own_bytes(0)) + kMostAddressSpaceBeyond);
  int code = kThrew;
  try {
    code = work();
  } catch (...) {
    code = kThrew;
  }
  // No destructors: they would end what the parent still has.
  ::_exit(code);
}

}  // namespace

ChildEnd run_guarded(const ChildLimits& limits, const std::function<int()>& work) {
  const std::int64_t before = own_bytes(1);
  const auto began = std::chrono::steady_clock::now();
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error(std::string("fork: ") + std::strerror(errno));
  if (child == 0) be_the_child(limits, work);
  ChildEnd end;
  int status = 0;
  rusage usage{};
  bool killed = false;
  for (;;) {
    const pid_t ended = ::wait4(child, &status, killed ? 0 : WNOHANG, &usage);
    if (ended == child) break;
    if (ended < 0 && errno != EINTR) throw std::runtime_error(std::string("wait4: ") + std::strerror(errno));
    if (!killed && std::chrono::steady_clock::now() - began > limits.time) {
      ::kill(child, SIGKILL);
      killed = true;
    }
    std::this_thread::sleep_for(kLook);
  }
  end.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  constexpr std::int64_t kKibibyte = 1024;
  end.bytes = std::max<std::int64_t>(0, usage.ru_maxrss * kKibibyte - before);
  end.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  if (killed) {
    end.complaint = "hung for " + std::to_string(limits.time.count()) + " s";
  } else if (WIFSIGNALED(status)) {
    end.complaint = std::string("crashed: ") + ::strsignal(WTERMSIG(status));
  } else if (end.code > kMostCode) {
    end.complaint = "ended with code " + std::to_string(end.code);
  } else if (end.bytes > limits.bytes) {
    end.complaint = "took " + std::to_string(end.bytes >> 20U) + " MiB";
  }
  return end;
}

}  // namespace negatron::testing

#include "runtime/snapshots/files/process_identity.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace negatron {
namespace {

/// Fields of /proc/PID/stat that follow the name in parentheses: the state is the first, the start time the twentieth.
struct ProcessStatus {
  char state = 0;
  std::int64_t began = 0;
};

ProcessStatus status_of(std::int64_t pid) {
  constexpr int kFieldsBetween = 18;
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(file, text);
  // The last one: a program's name may hold parentheses and blanks, the numbers behind it do not.
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream fields(text.substr(name_end + 1));
  ProcessStatus status;
  fields >> status.state;
  std::string skipped;
  for (int i = 0; i < kFieldsBetween; ++i) fields >> skipped;
  fields >> status.began;
  return fields ? status : ProcessStatus{};
}

}  // namespace

ProcessIdentity this_process() {
  ProcessIdentity process;
  char host[256] = {};
  if (::gethostname(host, sizeof host - 1) == 0) process.host = host;
  std::ifstream boot("/proc/sys/kernel/random/boot_id");
  std::getline(boot, process.boot);
  std::error_code error;
  process.pid_namespace = std::filesystem::read_symlink("/proc/self/ns/pid", error).string();
  process.pid = ::getpid();
  process.began = status_of(process.pid).began;
  return process;
}

bool shares_pids(const ProcessIdentity& process, const ProcessIdentity& with) {
  return !process.boot.empty() && process.boot == with.boot && !process.pid_namespace.empty() &&
         process.pid_namespace == with.pid_namespace;
}

bool has_ended(const ProcessIdentity& process) {
  if (process.pid <= 0) return false;
  // EPERM is a living process of another user.
  if (::kill(static_cast<pid_t>(process.pid), 0) != 0 && errno == ESRCH) return true;
  const ProcessStatus status = status_of(process.pid);
  if (status.state == 'Z' || status.state == 'X') return true;
  return process.began != 0 && status.began != 0 && status.began != process.began;
}

}  // namespace negatron

#pragma once

#include <cstdint>
#include <string>

namespace negatron {

/// Which process, in words that another process can check. A pid alone means nothing: it is used again, and processes
/// of other hosts, or of other namespaces of one host, have pids of their own.
struct ProcessIdentity {
  /// For people: hosts may share a name, and one may have several.
  std::string host;
  /// The kernel that runs it, from its start to its end (/proc/sys/kernel/random/boot_id). Empty where unknown.
  std::string boot;
  /// In which its pid is meant: "pid:[4026531836]". Empty where unknown.
  std::string pid_namespace;
  std::int64_t pid = 0;
  /// When it began, in the kernel's ticks since boot: tells it from a later one with its pid. 0 where unknown.
  std::int64_t began = 0;

  bool operator==(const ProcessIdentity&) const = default;
};

ProcessIdentity this_process();

/// The one of kernel and namespace, so that it answers for pids that are meant there.
bool shares_pids(const ProcessIdentity& process, const ProcessIdentity& with);

/// Whether a process that shares_pids() with this one has ended: there is none with its pid, or one that began at
/// another time, or one that has ended and only waits to be waited for. False where nobody can tell.
bool has_ended(const ProcessIdentity& process);

}  // namespace negatron

#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace negatron {

/// Bounds a call in which MPI connects ranks, which waits for ever when they cannot reach each other: while it lives, a
/// thread counts, and after `limit` says on stderr what was tried, over which networks of this host, and what to set,
/// and ends the process with `kExitCode`. The launcher then ends the others, or their own limits do. Local.
class ConnectionLimit {
 public:
  /// As of a collective that did not finish in time.
  static constexpr int kExitCode = 3;

  /// `call`: what is tried, as in "in MPI_Comm_dup".
  ConnectionLimit(std::chrono::milliseconds limit, std::string call);
  ~ConnectionLimit();
  ConnectionLimit(const ConnectionLimit&) = delete;
  ConnectionLimit& operator=(const ConnectionLimit&) = delete;

 private:
  void watch(std::chrono::milliseconds limit, const std::string& call);

  std::mutex mutex_;
  std::condition_variable changed_;
  bool connected_ = false;
  std::thread thread_;
};

/// "eth0 10.0.0.5, docker0 172.17.0.1": the IPv4 networks of this host that are up, but for loopback. Local.
std::string own_networks();

}  // namespace negatron

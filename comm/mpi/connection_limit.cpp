#include "comm/mpi/connection_limit.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <utility>

namespace negatron {
namespace {

std::string limit_sentence(std::chrono::milliseconds limit, const std::string& call) {
  char host[256] = {};
  ::gethostname(host, sizeof host - 1);
  const std::string networks = own_networks();
  return "negatron: on host " + std::string(host) + ", the ranks of this job were not connected within " +
         std::to_string(limit.count()) + " ms, in " + call +
         ". A rank may be gone, or MPI has chosen a network that does not lead to the other hosts; this one has " +
         (networks.empty() ? "none but loopback" : networks) +
         ". Name the right one, as in OMPI_MCA_btl_tcp_if_include=10.0.0.0/24, or leave wrong ones out, as in "
         "OMPI_MCA_btl_tcp_if_exclude=lo,docker0.\n";
}

}  // namespace

ConnectionLimit::ConnectionLimit(std::chrono::milliseconds limit, std::string call) {
  // Signals are for the threads that know what to do with them.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  thread_ = std::thread([this, limit, call = std::move(call)] { watch(limit, call); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

ConnectionLimit::~ConnectionLimit() {
  {
    const std::lock_guard lock(mutex_);
    connected_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void ConnectionLimit::watch(std::chrono::milliseconds limit, const std::string& call) {
  std::unique_lock lock(mutex_);
  if (changed_.wait_for(lock, limit, [this] { return connected_; })) return;
  std::cerr << limit_sentence(limit, call) << std::flush;
  // Not by MPI, which is what hangs.
  std::_Exit(kExitCode);
}

std::string own_networks() {
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return {};
  std::string text;
  for (const ifaddrs* entry = first; entry != nullptr; entry = entry->ifa_next) {
    const bool usable = (entry->ifa_flags & IFF_UP) != 0 && (entry->ifa_flags & IFF_LOOPBACK) == 0;
    if (!usable || entry->ifa_addr == nullptr || entry->ifa_addr->sa_family != AF_INET) continue;
    char address[INET_ADDRSTRLEN] = {};
    const auto* ip = reinterpret_cast<const sockaddr_in*>(entry->ifa_addr);
    if (::inet_ntop(AF_INET, &ip->sin_addr, address, sizeof address) == nullptr) continue;
    text += (text.empty() ? "" : ", ") + std::string(entry->ifa_name) + " " + address;
  }
  ::freeifaddrs(first);
  return text;
}

}  // namespace negatron

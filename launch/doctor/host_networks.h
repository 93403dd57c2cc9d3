#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "launch/doctor/launcher_check.h"

namespace negatron {

/// An interface that is up, with an address of IPv4, and no loopback.
struct NetworkInterface {
  std::string name;
  /// "10.0.0.5", and how many bits of it are the network's.
  std::string address;
  int bits = 0;
  /// Gb/s as the kernel tells; 0 where it does not.
  double gigabits = 0.0;

  /// "eth0 10.0.0.5/24"
  std::string text() const;
  /// "10.0.0.0/24"
  std::string network() const;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(NetworkInterface, name, address, bits, gigabits)

/// What can carry messages from this host to others.
struct HostNetworks {
  std::vector<NetworkInterface> interfaces;
  /// What Open MPI was told to use alone, and to leave out (btl_tcp_if_include and _exclude); empty where it was not.
  std::string include;
  std::string exclude;
  /// Gb/s of all ports of InfiniBand and its relatives that are active; 0 without any.
  double infiniband_gigabits = 0.0;

  /// Whether MPI may take it, by what it was told.
  bool may_use(const NetworkInterface& one) const;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(HostNetworks, interfaces, include, exclude, infiniband_gigabits)

/// Of this host, as this process sees it. Local.
HostNetworks host_networks(const Variables& variable);

}  // namespace negatron

#pragma once

#include <string>
#include <vector>

#include "launch/doctor/finding.h"
#include "launch/doctor/host_networks.h"

namespace negatron {

/// The interfaces of each host and which MPI may use; of several hosts, whether one network joins them all, and
/// addresses that several of them have (docker0's 172.17.0.1), by which MPI would find the wrong host. Both of all
/// ranks, [P]. Local.
Findings check_networks(const std::vector<HostNetworks>& ranks, const std::vector<std::string>& hosts);

/// The network that all hosts share and MPI may use: "10.0.0.0/24"; empty without one. Both of all ranks, [P]. Local.
std::string network_of_all(const std::vector<HostNetworks>& ranks, const std::vector<std::string>& hosts);

/// Bytes a second from host to host: of the slowest host's way to the network that joins them all, or InfiniBand where
/// all have that; 0 where a host tells none. Both of all ranks, [P]. Local.
double network_rate(const std::vector<HostNetworks>& ranks, const std::vector<std::string>& hosts);

}  // namespace negatron

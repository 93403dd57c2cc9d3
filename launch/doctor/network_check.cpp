#include "launch/doctor/network_check.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <sstream>

#include "launch/doctor/rank_groups.h"

namespace negatron {
namespace {

constexpr double kBytesPerGigabit = 1e9 / 8.0;

std::string networks_text(const HostNetworks& networks) {
  std::ostringstream text;
  for (const NetworkInterface& one : networks.interfaces) {
    text << (text.tellp() > 0 ? ", " : "") << one.text();
    if (one.gigabits > 0.0) text << " (" << one.gigabits << " Gb/s)";
    if (!networks.may_use(one)) text << " (not for MPI)";
  }
  if (networks.infiniband_gigabits > 0.0) {
    text << (text.tellp() > 0 ? ", " : "") << "InfiniBand (" << networks.infiniband_gigabits << " Gb/s)";
  }
  return text.tellp() > 0 ? text.str() : "none but loopback";
}

bool all_have_infiniband(const std::vector<HostNetworks>& ranks) {
  return std::all_of(ranks.begin(), ranks.end(), [](const HostNetworks& one) { return one.infiniband_gigabits > 0.0; });
}

/// What to tell Open MPI where `network` joins all hosts.
std::string include_advice(const std::string& network) {
  return network.empty() ? "name the network that joins the hosts: OMPI_MCA_btl_tcp_if_include=10.0.0.0/24, say"
                         : "OMPI_MCA_btl_tcp_if_include=" + network + " keeps MPI to the network that joins them";
}

Finding shared_addresses(const std::vector<HostNetworks>& ranks, const std::vector<std::string>& hosts) {
  std::map<std::string, std::vector<std::string>> hosts_with;
  for (const std::size_t rank : first_ranks(hosts)) {
    for (const NetworkInterface& one : ranks[rank].interfaces) {
      if (ranks[rank].may_use(one)) hosts_with[one.name + " " + one.address].push_back(hosts[rank]);
    }
  }
  Finding finding{"addresses", "", "none that several hosts have and MPI may use"};
  for (const auto& [address, names] : hosts_with) {
    if (names.size() < 2) continue;
    finding.found += (finding.found.empty() ? "" : ", ") + address + " on " + names[0] + " and " + names[1];
    if (names.size() > 2) finding.found += " and " + std::to_string(names.size() - 2) + " more";
  }
  if (finding.found.empty()) {
    finding.found = "each on one host";
  } else {
    finding.advice = include_advice(network_of_all(ranks, hosts));
    finding.severity = Severity::kWarning;
  }
  return finding;
}

Finding common_network(const std::vector<HostNetworks>& ranks, const std::vector<std::string>& hosts) {
  Finding finding{"network of all hosts", network_of_all(ranks, hosts), "one that MPI may use on every host"};
  if (!finding.found.empty()) return finding;
  finding.found = "none";
  if (all_have_infiniband(ranks)) return finding;
  finding.advice = include_advice("");
  finding.severity = Severity::kWarning;
  return finding;
}

}  // namespace

std::string network_of_all(const std::vector<HostNetworks>& ranks, const std::vector<std::string>& hosts) {
  const std::vector<std::size_t> first = first_ranks(hosts);
  for (const NetworkInterface& candidate : ranks[first[0]].interfaces) {
    std::set<std::string> addresses;
    std::set<std::size_t> joined;
    for (const std::size_t rank : first) {
      for (const NetworkInterface& one : ranks[rank].interfaces) {
        if (!ranks[rank].may_use(one) || one.network() != candidate.network()) continue;
        addresses.insert(one.address);
        joined.insert(rank);
      }
    }
    // Of docker0 all hosts have one address together.
    if (joined.size() == first.size() && addresses.size() >= first.size()) return candidate.network();
  }
  return {};
}

double network_rate(const std::vector<HostNetworks>& ranks, const std::vector<std::string>& hosts) {
  const std::string network = network_of_all(ranks, hosts);
  const bool by_infiniband = all_have_infiniband(ranks);
  double slowest = std::numeric_limits<double>::infinity();
  for (const HostNetworks& networks : ranks) {
    double fastest = by_infiniband ? networks.infiniband_gigabits : 0.0;
    for (const NetworkInterface& one : networks.interfaces) {
      if (!by_infiniband && one.network() == network) fastest = std::max(fastest, one.gigabits);
    }
    slowest = std::min(slowest, fastest);
  }
  return slowest * kBytesPerGigabit;
}

Findings check_networks(const std::vector<HostNetworks>& ranks, const std::vector<std::string>& hosts) {
  std::vector<std::string> texts;
  for (const HostNetworks& networks : ranks) texts.push_back(networks_text(networks));
  const bool is_one_host = first_ranks(hosts).size() == 1;
  Findings findings = {{"interfaces", said_by_ranks(texts, hosts),
                        is_one_host ? "any: ranks of one host share its memory" : "an own address on every host"}};
  if (is_one_host) return findings;
  findings.push_back(common_network(ranks, hosts));
  findings.push_back(shared_addresses(ranks, hosts));
  return findings;
}

}  // namespace negatron

#include "launch/doctor/host_networks.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <bit>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace negatron {
namespace {

namespace fs = std::filesystem;

constexpr int kBitsOfAddress = 32;
/// The kernel tells megabits.
constexpr double kMegabitsPerGigabit = 1e3;

/// The number in a file of /sys; 0 where there is none or it says that it knows none.
double number_in(const fs::path& file) {
  std::ifstream stream(file);
  double value = 0.0;
  return stream >> value && value > 0.0 ? value : 0.0;
}

std::string dotted(std::uint32_t address) {
  const in_addr bytes{htonl(address)};
  char text[INET_ADDRSTRLEN] = {};
  return ::inet_ntop(AF_INET, &bytes, text, sizeof text) == nullptr ? std::string() : std::string(text);
}

/// Of "10.0.0.5" with 24 bits: 10.0.0.0. Nothing that is an address has the value 0.
std::uint32_t network_number(const std::string& address, int bits) {
  in_addr parsed{};
  if (::inet_pton(AF_INET, address.c_str(), &parsed) != 1 || bits < 1 || bits > kBitsOfAddress) return 0;
  const std::uint32_t mask = ~std::uint32_t{0} << (kBitsOfAddress - bits);
  return ntohl(parsed.s_addr) & mask;
}

/// One entry of Open MPI's lists: a name, or a network such as 10.0.0.0/24.
bool means(const std::string& entry, const NetworkInterface& one) {
  const std::size_t slash = entry.find('/');
  if (slash == std::string::npos) return entry == one.name;
  const int bits = std::atoi(entry.c_str() + slash + 1);
  const std::uint32_t network = network_number(entry.substr(0, slash), bits);
  return network != 0 && network == network_number(one.address, bits);
}

bool lists(const std::string& entries, const NetworkInterface& one) {
  std::istringstream stream(entries);
  for (std::string entry; std::getline(stream, entry, ',');) {
    if (means(entry, one)) return true;
  }
  return false;
}

std::vector<NetworkInterface> interfaces_here() {
  std::vector<NetworkInterface> found;
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return found;
  for (const ifaddrs* entry = first; entry != nullptr; entry = entry->ifa_next) {
    const bool usable = (entry->ifa_flags & IFF_UP) != 0 && (entry->ifa_flags & IFF_LOOPBACK) == 0;
    if (!usable || entry->ifa_addr == nullptr || entry->ifa_addr->sa_family != AF_INET) continue;
    NetworkInterface one;
    one.name = entry->ifa_name;
    one.address = dotted(ntohl(reinterpret_cast<const sockaddr_in*>(entry->ifa_addr)->sin_addr.s_addr));
    if (entry->ifa_netmask != nullptr) {
      one.bits = std::popcount(reinterpret_cast<const sockaddr_in*>(entry->ifa_netmask)->sin_addr.s_addr);
    }
    one.gigabits = number_in(fs::path("/sys/class/net") / one.name / "speed") / kMegabitsPerGigabit;
    found.push_back(one);
  }
  ::freeifaddrs(first);
  return found;
}

/// A port's rate reads "200 Gb/sec (4X HDR)", its state "4: ACTIVE".
double infiniband_here() {
  constexpr double kActive = 4.0;
  double gigabits = 0.0;
  std::error_code error;
  for (const auto& adapter : fs::directory_iterator("/sys/class/infiniband", error)) {
    for (const auto& port : fs::directory_iterator(adapter.path() / "ports", error)) {
      if (number_in(port.path() / "state") == kActive) gigabits += number_in(port.path() / "rate");
    }
  }
  return gigabits;
}

std::string value_of(const Variables& variable, const char* name) {
  const char* text = variable(name);
  return text == nullptr ? std::string() : std::string(text);
}

}  // namespace

std::string NetworkInterface::text() const {
  return name + " " + address + "/" + std::to_string(bits);
}

std::string NetworkInterface::network() const {
  return dotted(network_number(address, bits)) + "/" + std::to_string(bits);
}

bool HostNetworks::may_use(const NetworkInterface& one) const {
  return include.empty() ? !lists(exclude, one) : lists(include, one);
}

HostNetworks host_networks(const Variables& variable) {
  return {interfaces_here(), value_of(variable, "OMPI_MCA_btl_tcp_if_include"),
          value_of(variable, "OMPI_MCA_btl_tcp_if_exclude"), infiniband_here()};
}

}  // namespace negatron

#include "launch/doctor/collective_check.h"

#include <algorithm>
#include <array>

#include "launch/doctor/quantity_text.h"

namespace negatron {
namespace {

constexpr std::array<const char*, 6> kAllCollectives = {"barrier",    "broadcast",      "all_reduce",
                                                        "all_gather", "reduce_scatter", "all_to_all"};
/// Cores that are shared and switches in between cost a factor of a few.
constexpr double kMostLatency = 5e-3;
constexpr double kLeastPartOfRate = 1.0 / 20.0;

std::string expected_text(const CollectiveSpeed& speed, const ExpectedSpeed& expected) {
  const std::string latency = "at most " + seconds_text(kMostLatency);
  if (speed.bytes == 0) return latency;
  if (expected.rate <= 0.0) return latency + ", " + expected.source;
  return latency + ", about " + speed_text(expected.rate) + " (" + expected.source + ")";
}

Finding judge_collective(const std::string& transport, const CollectiveSpeed& speed, const ExpectedSpeed& expected) {
  Finding finding{speed.name + " over " + transport, seconds_text(speed.latency), expected_text(speed, expected)};
  if (speed.bytes > 0) {
    finding.found += ", " + speed_text(speed.rate()) + " (" + memory_text(static_cast<double>(speed.bytes)) + ")";
  }
  const auto warn = [&](const std::string& advice) {
    finding.advice = advice;
    finding.severity = Severity::kWarning;
  };
  if (speed.bytes > 0 && expected.rate > 0.0 && speed.rate() < kLeastPartOfRate * expected.rate) {
    warn("see which network it goes over, and that nothing else uses the hosts");
  }
  if (speed.latency > kMostLatency)
    warn("see that each rank has a core of its own, and that nothing else uses the hosts");
  return finding;
}

}  // namespace

ExpectedSpeed expected_in_memory(double copy_rate) {
  // Into the shared memory and out of it.
  constexpr double kCopies = 2.0;
  return {copy_rate / kCopies, "half of what the ranks copy in memory"};
}

ExpectedSpeed expected_over_network(double network_rate, int ranks_a_host) {
  if (network_rate <= 0.0) return {0.0, "the network's own rate, which the hosts do not tell"};
  return {network_rate / ranks_a_host, "a rank's part of the slowest host's network"};
}

Findings check_collectives(const std::string& transport, const std::vector<CollectiveSpeed>& speeds,
                           const ExpectedSpeed& expected) {
  Findings findings;
  for (const CollectiveSpeed& speed : speeds) findings.push_back(judge_collective(transport, speed, expected));
  std::string left_out;
  for (const char* name : kAllCollectives) {
    const bool measured =
        std::any_of(speeds.begin(), speeds.end(), [&](const CollectiveSpeed& one) { return one.name == name; });
    if (!measured) left_out += (left_out.empty() ? "" : ", ") + std::string(name);
  }
  if (left_out.empty()) return findings;
  findings.push_back({"collectives over " + transport, left_out + " not measured, for lack of time", "all of them",
                      "a larger --time-limit; and see why the others take so long", Severity::kWarning});
  return findings;
}

}  // namespace negatron

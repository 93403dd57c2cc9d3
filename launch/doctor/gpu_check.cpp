#include "launch/doctor/gpu_check.h"

#include <algorithm>

#include "launch/doctor/quantity_text.h"
#include "launch/doctor/rank_groups.h"

namespace negatron {
namespace {

std::string gpus_text(const GpusHere& here) {
  if (here.gpus.empty()) return "none" + (here.problem.empty() ? "" : " (" + here.problem + ")");
  const Gpu& first = here.gpus.front();
  const auto count = static_cast<int>(here.gpus.size());
  const int peers = std::min_element(here.gpus.begin(), here.gpus.end(), [](const Gpu& a, const Gpu& b) {
                      return a.peers < b.peers;
                    })->peers;
  const bool ecc = std::all_of(here.gpus.begin(), here.gpus.end(), [](const Gpu& one) { return one.has_ecc; });
  std::string text = std::to_string(count) + " x " + first.name + ", " +
                     memory_text(static_cast<double>(first.memory)) + ", ECC " + (ecc ? "on" : "off");
  if (count > 1) text += ", " + std::to_string(peers) + " of " + std::to_string(count - 1) + " others by peer access";
  return text;
}

/// As device_of() in comm/mpi/topology.h: one GPU that each rank sees may be one of its own.
bool has_own(const GpusHere& here, int on_host) {
  const auto count = static_cast<int>(here.gpus.size());
  return count == 1 || count >= on_host;
}

RankVerdict judge_gpus(const GpusHere& here, int on_host, GpuUse use, bool anybody_has) {
  RankVerdict verdict{gpus_text(here)};
  if (!anybody_has && use != GpuUse::kAlways) return verdict;
  if (here.gpus.empty()) {
    verdict.advice = "see nvidia-smi and CUDA_VISIBLE_DEVICES there, or run with --device cpu";
  } else if (!has_own(here, on_host)) {
    verdict.found += " for " + std::to_string(on_host) + " ranks";
    verdict.advice = "start at most one rank for each GPU of a host, or run with --device cpu";
  } else {
    const auto others = static_cast<int>(here.gpus.size()) - 1;
    const bool all_peers =
        std::all_of(here.gpus.begin(), here.gpus.end(), [&](const Gpu& one) { return one.peers == others; });
    if (all_peers) return verdict;
    verdict.advice = "nothing, or see nvidia-smi topo -m: without peer access NCCL goes by the memory of the host";
    verdict.severity = Severity::kWarning;
    return verdict;
  }
  verdict.severity = use == GpuUse::kAlways ? Severity::kBroken : Severity::kWarning;
  return verdict;
}

}  // namespace

bool have_gpus(const std::vector<GpusHere>& ranks, const std::vector<std::string>& hosts) {
  const std::vector<int> on_host = ranks_on_hosts(hosts);
  for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
    if (!has_own(ranks[rank], on_host[rank])) return false;
  }
  return true;
}

Findings check_gpus(const std::vector<GpusHere>& ranks, const std::vector<std::string>& hosts, GpuUse use) {
  const std::vector<int> on_host = ranks_on_hosts(hosts);
  const bool anybody_has =
      std::any_of(ranks.begin(), ranks.end(), [](const GpusHere& here) { return !here.gpus.empty(); });
  std::vector<RankVerdict> verdicts;
  std::vector<std::string> kinds;
  for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
    verdicts.push_back(judge_gpus(ranks[rank], on_host[rank], use, anybody_has));
    for (const Gpu& one : ranks[rank].gpus) kinds.push_back(one.name);
  }
  const std::string expected = use == GpuUse::kAlways || anybody_has ? "one for each rank" : "none, for --device cpu";
  Findings findings = findings_of_ranks("GPUs", expected, verdicts, hosts);
  if (rank_groups(kinds).size() > 1) {
    std::string names;
    for (const RankGroup& kind : rank_groups(kinds)) names += (names.empty() ? "" : ", ") + kind.text;
    findings.push_back(
        {"kinds of GPUs", names, "one", "take hosts of one kind: all wait for the slowest", Severity::kWarning});
  }
  return findings;
}

}  // namespace negatron

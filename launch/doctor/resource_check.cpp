#include "launch/doctor/resource_check.h"

#include <sys/resource.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "launch/doctor/quantity_text.h"
#include "launch/doctor/rank_groups.h"
#include "launch/host_memory.h"

namespace negatron {
namespace {

constexpr std::int64_t kMebibyte = std::int64_t{1} << 20;
/// A rank of the smallest preset takes about that.
constexpr std::int64_t kLeastMemory = 1024 * kMebibyte;
/// Open MPI takes 4 MiB of each rank, NCCL about ten times as much.
constexpr std::int64_t kLeastSharedMemory = 64 * kMebibyte;
constexpr std::int64_t kNeededSharedMemory = 4 * kMebibyte;
/// Libraries alone map some tens of GiB where CUDA is one of them.
constexpr std::int64_t kLeastAddressSpace = 64 * 1024 * kMebibyte;
/// Of registered buffers of InfiniBand.
constexpr std::int64_t kLeastLocked = 1024 * kMebibyte;
/// Sockets to other ranks, shards of data, a snapshot's files.
constexpr std::int64_t kLeastOpenFiles = 1024;

std::int64_t limit_of(decltype(RLIMIT_AS) resource) {
  rlimit limit{};
  if (::getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return ResourceFacts::kUnlimited;
  return static_cast<std::int64_t>(limit.rlim_cur);
}

std::int64_t available_memory() {
  constexpr std::int64_t kKibibytes = 1024;
  std::ifstream file("/proc/meminfo");
  std::string name;
  std::int64_t value = 0;
  std::string rest;
  while (file >> name >> value && std::getline(file, rest)) {
    if (name == "MemAvailable:") return value * kKibibytes;
  }
  return 0;
}

bool is_below(std::int64_t limit, std::int64_t least) {
  return limit != ResourceFacts::kUnlimited && limit < least;
}

std::string limit_text(std::int64_t bytes) {
  return bytes == ResourceFacts::kUnlimited ? "unlimited" : memory_text(static_cast<double>(bytes));
}

RankVerdict judge_memory(const ResourceFacts& facts, int on_host) {
  RankVerdict verdict{memory_text(static_cast<double>(facts.memory)) + " (" + facts.memory_source + ")"};
  if (std::min(facts.free_memory, facts.memory) / on_host >= kLeastMemory) return verdict;
  return {verdict.found + ", " + memory_text(static_cast<double>(facts.free_memory)) + " free for " +
              std::to_string(on_host) + (on_host == 1 ? " rank" : " ranks"),
          "end what else takes memory there, raise the limit of the job, or start fewer ranks a host",
          Severity::kWarning};
}

RankVerdict judge_shared_memory(const ResourceFacts& facts, int on_host) {
  RankVerdict verdict{memory_text(static_cast<double>(facts.shared_memory)) + " in /dev/shm"};
  const std::int64_t each = facts.free_shared_memory / on_host;
  if (each >= kLeastSharedMemory) return verdict;
  verdict.found += ", " + memory_text(static_cast<double>(facts.free_shared_memory)) + " free";
  verdict.advice = "give the container more (docker run --shm-size=1g), or remove what was left in /dev/shm";
  verdict.severity = each < kNeededSharedMemory ? Severity::kBroken : Severity::kWarning;
  return verdict;
}

RankVerdict judge_limits(const ResourceFacts& facts) {
  const std::string files =
      facts.open_files == ResourceFacts::kUnlimited ? "unlimited" : std::to_string(facts.open_files);
  RankVerdict verdict{"address space " + limit_text(facts.address_space) + ", locked memory " +
                      limit_text(facts.locked_memory) + ", open files " + files};
  const auto advise = [&](const std::string& advice) {
    verdict.advice += (verdict.advice.empty() ? "" : ", ") + advice;
    verdict.severity = Severity::kWarning;
  };
  if (is_below(facts.address_space, kLeastAddressSpace)) advise("ulimit -v unlimited");
  if (facts.has_infiniband && is_below(facts.locked_memory, kLeastLocked)) advise("ulimit -l unlimited");
  if (is_below(facts.open_files, kLeastOpenFiles)) advise("ulimit -n " + std::to_string(kLeastOpenFiles));
  if (!verdict.advice.empty()) verdict.advice += ", before the launcher and for the daemons of other hosts";
  return verdict;
}

}  // namespace

ResourceFacts resource_facts() {
  ResourceFacts facts;
  const HostMemory memory = host_memory();
  facts.memory = memory.bytes;
  facts.memory_source = memory.source;
  facts.free_memory = available_memory();
  struct statvfs shared {};
  if (::statvfs("/dev/shm", &shared) == 0) {
    facts.shared_memory = static_cast<std::int64_t>(shared.f_blocks * shared.f_frsize);
    facts.free_shared_memory = static_cast<std::int64_t>(shared.f_bavail * shared.f_frsize);
  }
  facts.address_space = limit_of(RLIMIT_AS);
  facts.locked_memory = limit_of(RLIMIT_MEMLOCK);
  facts.open_files = limit_of(RLIMIT_NOFILE);
  std::error_code ignored;
  facts.has_infiniband = std::filesystem::exists("/sys/class/infiniband", ignored) &&
                         !std::filesystem::is_empty("/sys/class/infiniband", ignored);
  return facts;
}

Findings check_resources(const std::vector<ResourceFacts>& ranks, const std::vector<std::string>& hosts) {
  const std::vector<int> on_host = ranks_on_hosts(hosts);
  std::vector<RankVerdict> memory;
  std::vector<RankVerdict> shared;
  std::vector<RankVerdict> limits;
  for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
    memory.push_back(judge_memory(ranks[rank], on_host[rank]));
    shared.push_back(judge_shared_memory(ranks[rank], on_host[rank]));
    limits.push_back(judge_limits(ranks[rank]));
  }
  const std::string least = memory_text(static_cast<double>(kLeastMemory));
  Findings findings = findings_of_ranks("memory", least + " or more free for each rank", memory, hosts);
  const std::string least_shared = memory_text(static_cast<double>(kLeastSharedMemory));
  for (const Finding& one :
       findings_of_ranks("shared memory", least_shared + " or more free for each rank", shared, hosts)) {
    findings.push_back(one);
  }
  for (const Finding& one : findings_of_ranks("limits",
                                              "address space unlimited, locked memory unlimited where there "
                                              "is InfiniBand, open files " +
                                                  std::to_string(kLeastOpenFiles) + " or more",
                                              limits, hosts)) {
    findings.push_back(one);
  }
  return findings;
}

}  // namespace negatron

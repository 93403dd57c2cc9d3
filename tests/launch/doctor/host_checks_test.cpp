// Checks of what each host and rank has, on facts that are bad in one way each.

#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include "launch/doctor/alone_check.h"
#include "launch/doctor/clock_check.h"
#include "launch/doctor/gpu_check.h"
#include "launch/doctor/launcher_check.h"
#include "launch/doctor/network_check.h"
#include "launch/doctor/resource_check.h"
#include "launch/doctor/thread_check.h"
#include "launch/doctor/version_check.h"

namespace negatron::testing {
namespace {

const std::vector<std::string> kTwoHosts = {"n1", "n2"};

/// The findings that are not well.
Findings ills(const Findings& findings) {
  Findings bad;
  for (const Finding& one : findings) {
    if (one.severity != Severity::kWell) bad.push_back(one);
  }
  return bad;
}

bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

LauncherFacts launched_with(const std::map<std::string, const char*>& variables) {
  return launcher_facts([&](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second;
  });
}

TEST(DoctorFindings, RanksThatSayTheSameAreOneLineAndTheIllOnesAreNamed) {
  const Findings findings = findings_of_ranks("cores", "many", {{"8"}, {"1", "more", Severity::kWarning}, {"8"}, {"8"}},
                                              {"a", "a", "a", "b"});
  ASSERT_EQ(findings.size(), 2u);
  EXPECT_EQ(findings[0].found, "ranks 0, 2 on a, rank 3 on b: 8");
  EXPECT_EQ(findings[1].found, "rank 1 on a: 1");
  EXPECT_EQ(text_of(findings[1]), "warning  cores: rank 1 on a: 1; expected many; do: more");
  EXPECT_EQ(text_of(findings_of_ranks("cores", "many", {{"8"}, {"8"}}, kTwoHosts).front()),
            "ok       cores: 8; expected many");
}

TEST(DoctorLauncher, IsToldApartByItsVariables) {
  const LauncherFacts srun = launched_with({{"SLURM_JOB_ID", "1"},
                                            {"SLURM_STEP_ID", "0"},
                                            {"SLURM_PROCID", "0"},
                                            {"SLURM_STEP_NUM_TASKS", "2"},
                                            {"SLURM_NTASKS", "2"},
                                            {"PMIX_RANK", "0"}});
  EXPECT_EQ(srun.launcher + " " + srun.pmi, "srun PMIx");
  EXPECT_TRUE(ills(check_launcher({srun, srun}, kTwoHosts)).empty());
  const LauncherFacts mpirun = launched_with({{"OMPI_COMM_WORLD_SIZE", "4"}, {"PMIX_RANK", "1"}});
  EXPECT_EQ(mpirun.launcher, "mpirun");
  EXPECT_EQ(mpirun.started, 4);
  EXPECT_EQ(launched_with({}).launcher, "no launcher");
}

TEST(DoctorLauncher, ThePmiThatOpenMpiDoesNotKnowIsSaidBeforeMpiStarts) {
  EXPECT_TRUE(check_pmi({"srun", "PMIx", 2, 2}).empty());
  EXPECT_TRUE(check_pmi({"mpirun", "PMI", 2, 0}).empty());
  EXPECT_TRUE(says(check_pmi({"srun", "PMI", 2, 2}).at(0).advice, "srun --mpi=pmix"));
}

TEST(DoctorLauncher, AnMpirunOfAnotherMpiAndTasksThatNobodyStarted) {
  const Findings other = ills(check_launcher({launched_with({{"PMI_SIZE", "4"}, {"PMI_RANK", "0"}})}, {"n1"}));
  ASSERT_EQ(other.size(), 1u);
  EXPECT_EQ(other[0].severity, Severity::kBroken);
  EXPECT_TRUE(says(other[0].found, "4 were started")) << other[0].found;
  const Findings one = ills(check_launcher({launched_with({{"SLURM_JOB_ID", "1"}, {"SLURM_NTASKS", "4"}})}, {"n1"}));
  ASSERT_EQ(one.size(), 1u);
  EXPECT_EQ(one[0].severity, Severity::kWarning);
}

TEST(DoctorVersions, ThatDifferAreNamedByRankAndHost) {
  const Versions here = {{"LibTorch", "2.9.1"}, {"HDF5", "1.10.8"}, {"CUDA driver", "13.0"}};
  EXPECT_TRUE(ills(check_versions({here, here}, kTwoHosts)).empty());
  Versions there = here;
  there["LibTorch"] = "2.8.0";
  const Findings findings = check_versions({here, there}, kTwoHosts);
  ASSERT_EQ(ills(findings).size(), 1u);
  EXPECT_EQ(ills(findings)[0].what, "version of LibTorch");
  EXPECT_EQ(ills(findings)[0].found, "rank 0 on n1: 2.9.1; rank 1 on n2: 2.8.0");
  EXPECT_EQ(ills(findings)[0].severity, Severity::kBroken);
  EXPECT_FALSE(says(findings[0].found, "LibTorch")) << "it is not alike: " << findings[0].found;
  there = here;
  there["CUDA driver"] = "12.8";
  EXPECT_EQ(ills(check_versions({here, there}, kTwoHosts)).at(0).severity, Severity::kWarning);
  EXPECT_TRUE(says(versions_here().at("MPI"), "MPI"));
}

HostNetworks networks_of(const std::string& address) {
  HostNetworks networks;
  networks.interfaces = {{"docker0", "172.17.0.1", 16, 0.0}, {"eth0", address, 24, 10.0}};
  return networks;
}

TEST(DoctorNetworks, AnAddressThatTwoHostsHaveIsSaidWithTheNetworkThatJoinsThem) {
  std::vector<HostNetworks> ranks = {networks_of("10.77.0.11"), networks_of("10.77.0.12")};
  const Findings findings = ills(check_networks(ranks, kTwoHosts));
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].found, "docker0 172.17.0.1 on n1 and n2");
  EXPECT_TRUE(says(findings[0].advice, "OMPI_MCA_btl_tcp_if_include=10.77.0.0/24")) << findings[0].advice;
  for (HostNetworks& one : ranks) one.interfaces[0].gigabits = 100.0;
  EXPECT_DOUBLE_EQ(network_rate(ranks, kTwoHosts), 10e9 / 8) << "docker0 leads nowhere";
  ranks[1].interfaces[1].gigabits = 1.0;
  EXPECT_DOUBLE_EQ(network_rate(ranks, kTwoHosts), 1e9 / 8);
  ranks[0].infiniband_gigabits = ranks[1].infiniband_gigabits = 200.0;
  EXPECT_DOUBLE_EQ(network_rate(ranks, kTwoHosts), 200e9 / 8);
  EXPECT_TRUE(ills(check_networks({ranks[0], ranks[0]}, {"n1", "n1"})).empty()) << "one host has each once";

  for (HostNetworks& one : ranks) one.include = "10.77.0.0/24";
  EXPECT_TRUE(ills(check_networks(ranks, kTwoHosts)).empty());
  for (HostNetworks& one : ranks) one.include = "", one.exclude = "lo,docker0";
  EXPECT_TRUE(ills(check_networks(ranks, kTwoHosts)).empty());
}

TEST(DoctorNetworks, HostsThatNoNetworkJoins) {
  const std::vector<HostNetworks> apart = {networks_of("10.77.0.11"), networks_of("10.78.0.12")};
  EXPECT_EQ(network_of_all(apart, kTwoHosts), "");
  const Findings findings = ills(check_networks(apart, kTwoHosts));
  ASSERT_EQ(findings.size(), 2u);
  EXPECT_EQ(findings[0].what, "network of all hosts");
}

TEST(DoctorAlone, WithoutOtherRanksEachHostIsStillLookedAt) {
  const Findings findings = check_alone({"srun", "PMIx", 2, 2}, networks_of("10.77.0.11"));
  EXPECT_EQ(findings.at(0).found, "srun with PMIx, 2 started");
  const auto interfaces =
      std::find_if(findings.begin(), findings.end(), [](const Finding& one) { return one.what == "interfaces"; });
  ASSERT_NE(interfaces, findings.end());
  EXPECT_EQ(interfaces->found, "docker0 172.17.0.1/16, eth0 10.77.0.11/24 (10 Gb/s)");
}

TEST(DoctorThreads, RanksThatAreBoundToFewCores) {
  ThreadFacts free{8, "", 16, 16, 0.0, 0};
  EXPECT_TRUE(ills(check_threads({free, free}, {"n1", "n1"})).empty());
  ThreadFacts bound{1, "", 1, 16, 0.0, 0};
  const Findings findings = ills(check_threads({free, bound}, {"n1", "n1"}));
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].found, "rank 1 on n1: 1 thread, bound to 1 core of 16");
  EXPECT_EQ(findings[0].severity, Severity::kWarning);
  bound.remark = "mpirun bound it";
  EXPECT_EQ(ills(check_threads({free, bound}, {"n1", "n1"})).at(0).advice, "mpirun bound it");
  // What Slurm gave, and a quota, are meant.
  EXPECT_TRUE(ills(check_threads({{1, "", 16, 16, 0.0, 1}}, {"n1"})).empty());
  EXPECT_TRUE(ills(check_threads({{1, "", 16, 16, 1.5, 0}}, {"n1"})).empty());
  EXPECT_EQ(ills(check_threads({{1, "", 1, 16, 0.0, 4}}, {"n1"})).size(), 1u) << "Slurm gave four";
  const ThreadFacts crowded{1, "", 2, 2, 0.0, 0};
  EXPECT_TRUE(says(ills(check_threads({crowded, crowded, crowded}, {"a", "a", "a"})).at(0).found, "for 3 ranks"));
}

TEST(DoctorResources, WhatIsTooLittle) {
  constexpr std::int64_t kGiB = std::int64_t{1} << 30;
  ResourceFacts well{64 * kGiB, "the memory of the host", 60 * kGiB, 8 * kGiB, 8 * kGiB};
  EXPECT_TRUE(ills(check_resources({well, well}, kTwoHosts)).empty());
  ResourceFacts docker = well;
  docker.shared_memory = docker.free_shared_memory = std::int64_t{64} << 20;
  EXPECT_TRUE(ills(check_resources({docker}, {"n1"})).empty());
  const Findings shared = ills(check_resources({docker, docker}, {"n1", "n1"}));
  ASSERT_EQ(shared.size(), 1u);
  EXPECT_TRUE(says(shared[0].advice, "--shm-size")) << shared[0].advice;
  docker.free_shared_memory = 0;
  EXPECT_EQ(ills(check_resources({docker}, {"n1"})).at(0).severity, Severity::kBroken);
  ResourceFacts tight = well;
  tight.free_memory = kGiB / 2;
  EXPECT_EQ(ills(check_resources({well, tight}, kTwoHosts)).at(0).what, "memory");
  ResourceFacts limited = well;
  limited.open_files = 256;
  limited.address_space = 8 * kGiB;
  limited.locked_memory = 64 << 10;
  const std::string advice = ills(check_resources({limited}, {"n1"})).at(0).advice;
  EXPECT_TRUE(says(advice, "ulimit -v unlimited, ulimit -n 1024")) << advice;
  limited.has_infiniband = true;
  EXPECT_TRUE(says(ills(check_resources({limited}, {"n1"})).at(0).advice, "ulimit -l"));
}

TEST(DoctorClocks, OneThatIsAheadIsNamed) {
  EXPECT_TRUE(ills(check_clocks({0.0, 0.2}, kTwoHosts)).empty());
  const Findings findings = ills(check_clocks({0.0, -75.0}, kTwoHosts));
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].found, "rank 1 on n2: 75.0 s behind rank 0's");
}

TEST(DoctorGpus, OneForEachRankOrAWarning) {
  const GpusHere none{{}, "no driver"};
  const GpusHere two{{{"H100", 80, true, 1}, {"H100", 80, true, 1}}, ""};
  EXPECT_TRUE(ills(check_gpus({none, none}, kTwoHosts, GpuUse::kIfAll)).empty());
  EXPECT_EQ(ills(check_gpus({none}, {"n1"}, GpuUse::kAlways)).at(0).severity, Severity::kBroken);
  EXPECT_TRUE(ills(check_gpus({two, two}, {"n1", "n1"}, GpuUse::kAlways)).empty());
  EXPECT_TRUE(have_gpus({two, two}, {"n1", "n1"}));
  EXPECT_EQ(ills(check_gpus({two, none}, kTwoHosts, GpuUse::kIfAll)).at(0).found, "rank 1 on n2: none (no driver)");
  EXPECT_FALSE(have_gpus({two, two, two}, {"n1", "n1", "n1"}));
  EXPECT_TRUE(says(ills(check_gpus({two, two, two}, {"n1", "n1", "n1"}, GpuUse::kIfAll)).at(0).found, "for 3 ranks"));
  const GpusHere apart{{{"H100", 80, true, 0}, {"A100", 80, true, 0}}, ""};
  const Findings findings = ills(check_gpus({apart}, {"n1"}, GpuUse::kIfAll));
  ASSERT_EQ(findings.size(), 2u);
  EXPECT_TRUE(says(findings[0].advice, "peer access"));
  EXPECT_EQ(findings[1].found, "H100, A100");
}

}  // namespace
}  // namespace negatron::testing

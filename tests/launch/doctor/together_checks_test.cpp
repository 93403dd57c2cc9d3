// Checks that ranks make together, with ranks as threads: each has a directory, a file system or a clock of its own.

#include <atomic>
#include <filesystem>
#include <thread>

#include <gtest/gtest.h>

#include "comm/threads/thread_communicator.h"
#include "launch/doctor/clock_check.h"
#include "launch/doctor/collective_check.h"
#include "launch/doctor/directory_check.h"
#include "launch/doctor/result_within.h"
#include "runtime/snapshots/files/posix_file_layer.h"
#include "tests/runtime/data/temporary_directory.h"

namespace negatron::testing {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

const std::vector<std::string> kThreeHosts = {"n1", "n2", "n3"};

/// What rank 0 is told when each rank tries what `trial` gives for it.
Findings tried(const std::function<DirectoryTrial(int rank)>& trial) {
  Findings findings;
  run_ranks(3, {.check = true}, [&](Communicator& comm) {
    const Findings own = check_directory(comm, trial(comm.rank()), kThreeHosts);
    if (comm.rank() == 0) findings = own;
  });
  return findings;
}

const Finding* find(const Findings& findings, const std::string& what) {
  for (const Finding& one : findings) {
    if (one.what == what) return &one;
  }
  return nullptr;
}

TEST(DoctorDirectory, OneForAllRanksIsWellAndStaysEmpty) {
  const TemporaryDirectory directory;
  const Findings findings = tried([&](int) {
    return DirectoryTrial{directory.path(), std::make_shared<PosixFileLayer>(), std::chrono::minutes(1),
                          std::chrono::minutes(1)};
  });
  for (const char* what : {"directory", "locks", "renames"}) {
    const Finding* one = find(findings, what);
    ASSERT_NE(one, nullptr) << what;
    EXPECT_EQ(one->severity, Severity::kWell) << text_of(*one);
  }
  EXPECT_NE(find(findings, "writing"), nullptr);
  EXPECT_NE(find(findings, "reading"), nullptr);
  EXPECT_TRUE(fs::is_empty(directory.path()));
}

TEST(DoctorDirectory, OneThatARankHasElsewhereIsSaid) {
  const TemporaryDirectory shared;
  const TemporaryDirectory local;
  const Findings findings = tried([&](int rank) {
    return DirectoryTrial{rank == 2 ? local.path() : shared.path(), std::make_shared<PosixFileLayer>(),
                          std::chrono::minutes(1), milliseconds(300)};
  });
  const Finding* one = find(findings, "directory");
  ASSERT_NE(one, nullptr);
  EXPECT_EQ(one->severity, Severity::kBroken);
  EXPECT_NE(one->found.find("rank 2 on n3: What rank 0 wrote is not seen."), std::string::npos) << one->found;
  EXPECT_EQ(find(findings, "renames"), nullptr) << "they say nothing of two directories";
  EXPECT_TRUE(fs::is_empty(shared.path()) && fs::is_empty(local.path()));
}

TEST(DoctorDirectory, OneThatIsMissingOnAHostIsSaid) {
  const TemporaryDirectory directory;
  const Findings findings = tried([&](int rank) {
    return DirectoryTrial{rank == 1 ? directory.path() / "none" : directory.path(), std::make_shared<PosixFileLayer>(),
                          std::chrono::minutes(1), std::chrono::minutes(1)};
  });
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].found, "rank 1 on n2: There is no such directory.");
  EXPECT_EQ(findings[0].severity, Severity::kBroken);
  EXPECT_TRUE(fs::is_empty(directory.path()));
}

/// A file system whose server never answers when something is created.
class SilentServer : public PosixFileLayer {
 public:
  std::unique_ptr<OutputFile> create(const fs::path&) override {
    for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
  }
};

TEST(DoctorDirectory, AServerThatDoesNotAnswerHoldsNobodyUp) {
  const TemporaryDirectory directory;
  const Findings findings = tried([&](int rank) {
    const std::shared_ptr<FileLayer> files =
        rank == 1 ? std::make_shared<SilentServer>() : std::make_shared<PosixFileLayer>();
    return DirectoryTrial{directory.path(), files, milliseconds(rank == 1 ? 300 : 60'000), std::chrono::minutes(1)};
  });
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].found, "rank 1 on n2: No answer within 300 ms.");
}

/// A file system on which a name may be had twice.
class CarelessRenames : public PosixFileLayer {
 public:
  void rename_to_new(const fs::path&, const fs::path&) override {}
};

TEST(DoctorDirectory, RenamesThatSeveralWinAreSaid) {
  const TemporaryDirectory directory;
  const Findings findings = tried([&](int) {
    return DirectoryTrial{directory.path(), std::make_shared<CarelessRenames>(), std::chrono::minutes(1),
                          std::chrono::minutes(1)};
  });
  const Finding* one = find(findings, "renames");
  ASSERT_NE(one, nullptr);
  EXPECT_EQ(one->severity, Severity::kBroken);
  EXPECT_EQ(one->found, "3 of 3 ranks got one name");
}

TEST(DoctorClocks, OfOneHostAgree) {
  std::vector<double> offsets;
  run_ranks(2, {.check = true}, [&](Communicator& comm) {
    const std::vector<double> own = clock_offsets(comm);
    if (comm.rank() == 0) offsets = own;
  });
  ASSERT_EQ(offsets.size(), 2u);
  EXPECT_EQ(offsets[0], 0.0);
  // Threads of one clock that start a look together, on a machine that does other things.
  EXPECT_LT(std::abs(offsets[1]), 10.0);
}

TEST(DoctorCollectives, AllAreMeasuredWithTheBytesThatTheyMove) {
  std::vector<CollectiveSpeed> speeds;
  constexpr double kNoBudget = 1e9;
  run_ranks(2, {.check = true}, [&](Communicator& comm) {
    const std::vector<CollectiveSpeed> own = measure_collectives(comm, at::kCPU, kNoBudget);
    if (comm.rank() == 0) speeds = own;
  });
  ASSERT_EQ(speeds.size(), 6u);
  for (const CollectiveSpeed& speed : speeds) {
    EXPECT_GT(speed.latency, 0.0) << speed.name;
    EXPECT_EQ(speed.bytes > 0, speed.name != "barrier") << speed.name;
  }
  for (const Finding& one : check_collectives("MPI", speeds, {})) EXPECT_NE(one.what, "collectives over MPI");
}

TEST(DoctorCollectives, WithoutTimeTheyAreLeftOutOnAllRanks) {
  run_ranks(2, {.check = true},
            [&](Communicator& comm) { EXPECT_TRUE(measure_collectives(comm, at::kCPU, -1.0).empty()); });
  const Findings findings = check_collectives("MPI", {}, {});
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].severity, Severity::kWarning);
}

TEST(DoctorCollectives, OneThatIsFarFromWhatTheMachineGivesIsSaid) {
  const CollectiveSpeed slow{"all_gather", 1e-4, 1'000'000, 1.0};
  const ExpectedSpeed fast = expected_over_network(1.25e9, 2);
  EXPECT_DOUBLE_EQ(fast.rate, 0.625e9);
  Finding finding = check_collectives("MPI", {slow}, fast).front();
  EXPECT_EQ(finding.severity, Severity::kWarning);
  EXPECT_EQ(finding.found, "100 us, 1.00 MB/s (977 KiB)");
  EXPECT_EQ(check_collectives("MPI", {slow}, expected_over_network(0.0, 2)).front().severity, Severity::kWell);
  EXPECT_EQ(check_collectives("MPI", {slow}, expected_in_memory(4e6)).front().severity, Severity::kWell);
  const CollectiveSpeed late{"barrier", 0.02};
  EXPECT_EQ(check_collectives("MPI", {late}, fast).front().severity, Severity::kWarning);
}

TEST(DoctorParts, WhatThrowsThrowsAndWhatHangsIsLeft) {
  EXPECT_EQ(result_within<int>(std::chrono::minutes(1), [] { return 7; }), 7);
  EXPECT_THROW(result_within<int>(std::chrono::minutes(1), []() -> int { throw std::runtime_error("no"); }),
               std::runtime_error);
  const auto never = std::make_shared<std::promise<int>>();
  EXPECT_EQ(result_within<int>(milliseconds(20), [never] { return never->get_future().get(); }), std::nullopt);
  never->set_value(1);
}

}  // namespace
}  // namespace negatron::testing

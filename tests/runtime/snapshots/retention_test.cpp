#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "comm/threads/thread_communicator.h"
#include "runtime/snapshots/files/directory_lock.h"
#include "runtime/snapshots/files/posix_file_layer.h"
#include "tests/runtime/data/temporary_directory.h"
#include "tests/runtime/snapshots/saved_run.h"

namespace negatron {
namespace {

namespace fs = std::filesystem;
using testing::SmallRun;
using testing::TemporaryDirectory;

std::set<std::string> names_in(const fs::path& path) {
  const std::vector<std::string> names = PosixFileLayer().list(path);
  return {names.begin(), names.end()};
}

TEST(Retention, KeepsTheNewestAndEverySoMany) {
  const SmallRun run;
  const TemporaryDirectory directory;
  PosixFileLayer files;
  SnapshotOptions options;
  options.retention = {2, 5};
  for (std::int64_t step = 1; step <= 12; ++step) {
    ASSERT_EQ(testing::save(run, files, directory.path(), step, 1, options).state, SaveState::kCommitted);
  }
  EXPECT_EQ(names_in(directory / "snapshots"),
            (std::set<std::string>{step_name(5), step_name(10), step_name(11), step_name(12)}));
}

TEST(Retention, FewerThanTwoAreRefused) {
  PosixFileLayer files;
  SnapshotOptions options;
  options.retention.keep = 1;
  EXPECT_THROW(SnapshotStore(files, "nowhere", options), std::invalid_argument);
}

TEST(Retention, ADirectoryWithoutAManifestIsNeitherCountedNorTouched) {
  const SmallRun run;
  const TemporaryDirectory directory;
  PosixFileLayer files;
  ASSERT_EQ(testing::save(run, files, directory.path(), 1, 1).state, SaveState::kCommitted);
  ASSERT_EQ(testing::save(run, files, directory.path(), 2, 1).state, SaveState::kCommitted);
  // As when someone copies a snapshot in, file by file.
  fs::create_directory(directory / ("snapshots/" + step_name(7)));
  fs::create_directory(directory / ("snapshots/" + step_name(6) + ".quarantine"));
  ASSERT_EQ(testing::save(run, files, directory.path(), 3, 1).state, SaveState::kCommitted);
  EXPECT_EQ(names_in(directory / "snapshots"),
            (std::set<std::string>{step_name(2), step_name(3), step_name(7), step_name(6) + ".quarantine"}));
}

TEST(Retention, APruneThatEndsEarlyLeavesEnough) {
  const SmallRun run;
  for (const int ends_at : {1, 2}) {
    const TemporaryDirectory directory;
    PosixFileLayer files;
    for (const std::int64_t step : {1, 2}) {
      ASSERT_EQ(testing::save(run, files, directory.path(), step, 2).state, SaveState::kCommitted);
    }
    SnapshotOptions options;
    int prunes = 0;
    options.at_save_point = [&](std::string_view stage) {
      if (stage == "prune" && ++prunes == ends_at) throw std::runtime_error("ended on purpose");
    };
    const SaveReport report = testing::save(run, files, directory.path(), 3, 2, options);
    EXPECT_EQ(report.state, SaveState::kCommitted);
    EXPECT_NE(report.problem.find("ended on purpose"), std::string::npos) << "a prune that failed must be reported";
    EXPECT_EQ(testing::restored_step(run, files, directory.path(), 2), 3);
    EXPECT_GE(list_snapshots(files, directory / "snapshots").size(), 2U);
    ASSERT_EQ(testing::save(run, files, directory.path(), 4, 2).state, SaveState::kCommitted);
    EXPECT_EQ(names_in(directory / "snapshots"), (std::set<std::string>{step_name(3), step_name(4)}));
  }
}

TEST(Retention, AStepThatIsSavedAgainIsReplaced) {
  const SmallRun run;
  SmallRun other = run;
  other.batches = {7};
  const TemporaryDirectory directory;
  PosixFileLayer files;
  ASSERT_EQ(testing::save(run, files, directory.path(), 3, 2).state, SaveState::kCommitted);
  ASSERT_EQ(testing::save(other, files, directory.path(), 3, 1).state, SaveState::kCommitted);
  EXPECT_EQ(testing::restored_step(other, files, directory.path(), 2), 3);
  EXPECT_EQ(names_in(directory / "snapshots"), std::set<std::string>{step_name(3)});
}

TEST(SnapshotNames, AreReadBackExactly) {
  EXPECT_EQ(step_name(12000), "step-000012000");
  EXPECT_EQ(step_of("step-000012000"), 12000);
  EXPECT_EQ(step_of(step_name(12345678901)), 12345678901);
  EXPECT_EQ(step_of(replaced_name(12000)), 12000);
  for (const char* other : {"step-12000", "step-000012000.quarantine", "step-000012000.tmp-1-2", "step-12.replaced",
                            ".replaced", "step-000012000.replaced.replaced", "step--00000001", "step-0000120000",
                            "step-00001200x", "step-", "lock", ""}) {
    EXPECT_EQ(step_of(other), std::nullopt) << other;
  }
}

TEST(DirectoryLock, KeepsASecondRunOutAndNamesTheOwner) {
  const TemporaryDirectory directory;
  PosixFileLayer files;
  run_ranks(2, CommunicatorOptions{.check = true}, [&](Communicator& comm) {
    const auto refusal = [&](const LockOwner& owner, bool take_over) -> std::string {
      try {
        const DirectoryLock second(comm, files, directory.path(), owner, take_over);
        return second.took_over().empty() ? "" : "took over: " + second.took_over();
      } catch (const SnapshotError& error) {
        return error.what();
      }
    };
    const LockOwner me = this_owner("17");
    LockOwner other_job = me;
    other_job.job_id = "18";
    {
      const DirectoryLock lock(comm, files, directory.path(), me, false);
      comm.barrier();
      EXPECT_TRUE(fs::exists(directory / "lock"));
      for (const bool take_over : {false, true}) {
        const std::string text = refusal(other_job, take_over);
        EXPECT_NE(text.find("process " + std::to_string(me.pid) + " on host " + me.host + ", job 17"),
                  std::string::npos)
            << text;
        EXPECT_NE(text.find((directory / "lock").string()), std::string::npos) << "how to go on";
      }
      comm.barrier();
    }
    comm.barrier();
    EXPECT_FALSE(fs::exists(directory / "lock"));
    comm.barrier();
    // Of a process with this pid that began at another time: dead.
    LockOwner dead = me;
    dead.began = me.began + 1;
    const auto leave = [&](const LockOwner& owner) {
      // A run that is killed does not come to its destructor.
      const DirectoryLock lock(comm, files, directory.path(), owner, false);
      comm.barrier();
      if (comm.rank() == 0) fs::copy_file(directory / "lock", directory / "stale");
      comm.barrier();
    };
    leave(dead);
    comm.barrier();
    if (comm.rank() == 0) fs::rename(directory / "stale", directory / "lock");
    comm.barrier();
    EXPECT_NE(refusal(other_job, false).find("no longer runs. Remove"), std::string::npos);
    EXPECT_NE(refusal(other_job, true).find("took over: "), std::string::npos);
    comm.barrier();
    // The same job, started again on another host.
    LockOwner elsewhere = me;
    elsewhere.host = "elsewhere";
    leave(elsewhere);
    comm.barrier();
    if (comm.rank() == 0) fs::rename(directory / "stale", directory / "lock");
    comm.barrier();
    EXPECT_NE(refusal(other_job, true).find("in use by"), std::string::npos) << "nobody can know that it is dead";
    EXPECT_NE(refusal(me, true).find("an earlier start of this job: taken over"), std::string::npos);
  });
}

}  // namespace
}  // namespace negatron

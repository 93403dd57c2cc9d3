#include <fstream>
#include <set>

#include <gtest/gtest.h>

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

TEST(Retention, WhatOthersPutIntoASnapshotStaysAndEndsNothing) {
  const SmallRun run;
  const TemporaryDirectory directory;
  PosixFileLayer files;
  const fs::path snapshots = directory / "snapshots";
  for (const std::int64_t step : {1, 2, 3}) {
    ASSERT_EQ(testing::save(run, files, directory.path(), step, 2).state, SaveState::kCommitted);
    if (step == 1) continue;
    fs::create_directory(snapshots / step_name(step) / "notes");
    std::ofstream(snapshots / step_name(step) / "notes" / "a.txt") << "mine";
    std::ofstream(snapshots / step_name(step) / "plot.png") << "mine too";
  }
  std::vector<std::string> told;
  for (const std::int64_t step : {4, 5, 6, 7}) {
    const SaveReport report = testing::save(run, files, directory.path(), step, 2);
    ASSERT_EQ(report.state, SaveState::kCommitted);
    if (!report.problem.empty()) told.push_back(report.problem);
  }
  EXPECT_EQ(names_in(snapshots),
            (std::set<std::string>{step_name(2) + ".kept", step_name(3) + ".kept", step_name(6), step_name(7)}));
  ASSERT_EQ(told.size(), 2U) << "each is told once";
  EXPECT_NE(told[0].find("'notes' and more was put into the old snapshot " + step_name(2)), std::string::npos)
      << told[0];
  EXPECT_NE(told[0].find((snapshots / (step_name(2) + ".kept")).string()), std::string::npos) << told[0];
  EXPECT_EQ(names_in(snapshots / (step_name(2) + ".kept")), (std::set<std::string>{"notes", "plot.png"}));
  EXPECT_EQ(fs::file_size(snapshots / (step_name(2) + ".kept") / "notes" / "a.txt"), 4U);
}

TEST(Retention, FilesThatAreStillOpenElsewhereGoLater) {
  const SmallRun run;
  const TemporaryDirectory directory;
  PosixFileLayer files;
  const fs::path snapshots = directory / "snapshots";
  ASSERT_EQ(testing::save(run, files, directory.path(), 1, 1).state, SaveState::kCommitted);
  // So NFS calls a file that was removed while some process had it open.
  std::ofstream(snapshots / step_name(1) / ".nfs0000000000c0ffee") << "open";
  for (const std::int64_t step : {2, 3, 4}) {
    const SaveReport report = testing::save(run, files, directory.path(), step, 1);
    EXPECT_EQ(report.problem, "");
    if (step != 3) continue;
    ASSERT_EQ(names_in(snapshots).size(), 3U);
    for (const std::string& name : names_in(snapshots)) fs::remove(snapshots / name / ".nfs0000000000c0ffee");
  }
  EXPECT_EQ(names_in(snapshots), (std::set<std::string>{step_name(3), step_name(4)}));
}

TEST(Retention, AnInterruptedSaveWithForeignFilesIsClearedOfItsOwn) {
  const SmallRun run;
  const TemporaryDirectory directory;
  PosixFileLayer files;
  const fs::path left = directory / ("snapshots/" + temporary_name(7));
  fs::create_directories(left);
  for (const char* name : {"trainer.h5", "bank.00000-of-00002.h5", "bank.h5", "bank.0-of-2.h5", "x"}) {
    std::ofstream(left / name) << "half";
  }
  const SaveReport report = testing::save(run, files, directory.path(), 8, 1);
  EXPECT_EQ(report.state, SaveState::kCommitted);
  EXPECT_NE(report.problem.find("'bank.0-of-2.h5' and more"), std::string::npos) << report.problem;
  EXPECT_EQ(names_in(directory / "snapshots"), (std::set<std::string>{step_name(7) + ".kept", step_name(8)}));
  EXPECT_EQ(names_in(directory / ("snapshots/" + step_name(7) + ".kept")),
            (std::set<std::string>{"bank.0-of-2.h5", "x"}));
}

TEST(SnapshotNames, AreReadBackExactly) {
  EXPECT_EQ(step_name(12000), "step-000012000");
  EXPECT_EQ(step_of("step-000012000"), 12000);
  EXPECT_EQ(step_of(step_name(12345678901)), 12345678901);
  EXPECT_EQ(step_of(replaced_name(12000)), 12000);
  for (const char* other : {"step-12000", "step-000012000.quarantine", "step-000012000.tmp-1-2", "step-12.replaced",
                            ".replaced", "step-000012000.replaced.replaced", "step--00000001", "step-0000120000",
                            "step-00001200x", "step-", "step-000012000.kept", "lock", ""}) {
    EXPECT_EQ(step_of(other), std::nullopt) << other;
  }
}

}  // namespace
}  // namespace negatron

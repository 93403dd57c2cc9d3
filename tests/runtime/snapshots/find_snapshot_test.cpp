#include <cerrno>

#include <gtest/gtest.h>

#include "comm/threads/thread_communicator.h"
#include "runtime/snapshots/files/posix_file_layer.h"
#include "tests/runtime/data/temporary_directory.h"
#include "tests/runtime/snapshots/saved_run.h"

namespace negatron {
namespace {

namespace fs = std::filesystem;
using testing::SmallRun;
using testing::TemporaryDirectory;

/// A file system on which rank 1 sees nothing new, for a while or for ever.
class LateView : public PosixFileLayer {
 public:
  explicit LateView(int looks) : looks_(looks) {}
  std::unique_ptr<InputFile> open(const fs::path& path) const override {
    if (looks_-- > 0) throw FileError("open", path, ENOENT);
    return PosixFileLayer::open(path);
  }

 private:
  mutable int looks_;
};

TEST(FindNewest, ARankThatSeesLateWaitsAndOneThatNeverSeesFailsAll) {
  const SmallRun run;
  const TemporaryDirectory directory;
  PosixFileLayer files;
  ASSERT_EQ(testing::save(run, files, directory.path(), 3, 2).state, SaveState::kCommitted);
  for (const bool for_ever : {false, true}) {
    run_ranks(2, CommunicatorOptions{.check = true}, [&](Communicator& comm) {
      PosixFileLayer prompt;
      LateView late(for_ever ? 1 << 20 : 3);
      FileLayer& mine = comm.rank() == 1 ? static_cast<FileLayer&>(late) : prompt;
      FindOptions options;
      options.visibility_wait = std::chrono::milliseconds(for_ever ? 60 : 5000);
      if (for_ever) {
        EXPECT_THROW(find_newest_snapshot(comm, mine, directory.path(), options), SnapshotError);
      } else {
        const FoundSnapshot found = find_newest_snapshot(comm, mine, directory.path(), options);
        ASSERT_TRUE(found.snapshot.has_value());
        EXPECT_EQ(found.snapshot->manifest.step, 3);
      }
    });
  }
  EXPECT_EQ(testing::restored_step(run, files, directory.path(), 2), 3) << "a good snapshot was put aside";
}

/// A file system that does not answer for reasons of its own.
class RefusingView : public PosixFileLayer {
 public:
  RefusingView(std::string name, int error_number) : name_(std::move(name)), error_number_(error_number) {}
  std::unique_ptr<InputFile> open(const fs::path& path) const override {
    if (path.filename() == name_) throw FileError("open", path, error_number_);
    return PosixFileLayer::open(path);
  }

 private:
  std::string name_;
  int error_number_;
};

TEST(FindNewest, WhatARankMayNotReadIsNotTakenForDamaged) {
  const SmallRun run;
  for (const std::string& name : {std::string(kManifestName), std::string(kTrainerName), bank_file_name(1, 2)}) {
    // EIO: the disk is ill, or its cable; what lies there may be whole.
    for (const int error_number : {EACCES, EMFILE, ENOMEM, ETIMEDOUT, EIO}) {
      const TemporaryDirectory directory;
      PosixFileLayer files;
      ASSERT_EQ(testing::save(run, files, directory.path(), 3, 2).state, SaveState::kCommitted);
      run_ranks(2, CommunicatorOptions{.check = true}, [&](Communicator& comm) {
        PosixFileLayer whole;
        RefusingView refusing(name, error_number);
        FileLayer& mine = comm.rank() == 1 ? static_cast<FileLayer&>(refusing) : whole;
        try {
          find_newest_snapshot(comm, mine, directory.path(), {});
          ADD_FAILURE() << "restored what rank 1 cannot read";
        } catch (const SnapshotError& error) {
          EXPECT_NE(std::string(error.what()).find("Rank 1: "), std::string::npos) << error.what();
          EXPECT_NE(std::string(error.what()).find(name), std::string::npos) << error.what();
        }
      });
      EXPECT_EQ(testing::restored_step(run, files, directory.path(), 2), 3) << "a good snapshot was put aside";
    }
  }
}

}  // namespace
}  // namespace negatron

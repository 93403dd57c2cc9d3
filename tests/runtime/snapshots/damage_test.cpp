#include <fstream>

#include <gtest/gtest.h>

#include "comm/threads/thread_communicator.h"
#include "runtime/snapshots/files/posix_file_layer.h"
#include "samplers/random/philox.h"
#include "tests/runtime/data/temporary_directory.h"
#include "tests/runtime/snapshots/saved_run.h"

namespace negatron {
namespace {

namespace fs = std::filesystem;
using testing::SmallRun;
using testing::TemporaryDirectory;

constexpr int kDamagedRanks = 2;

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const fs::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

/// Steps 4 and 8 saved; whatever happens to the second, restoring finds the first.
class Damage : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(testing::save(run_, files_, directory_.path(), 4, kDamagedRanks).state, SaveState::kCommitted);
    ASSERT_EQ(testing::save(run_, files_, directory_.path(), 8, kDamagedRanks).state, SaveState::kCommitted);
  }

  fs::path newest() const { return directory_ / ("snapshots/" + step_name(8)); }

  /// And names `what` among the reasons. Puts the damaged one back to its place.
  void expect_falls_back(const std::string& what) {
    std::vector<std::string> quarantined;
    EXPECT_EQ(testing::restored_step(run_, files_, directory_.path(), kDamagedRanks, &quarantined), 4);
    ASSERT_EQ(quarantined.size(), 1U);
    EXPECT_NE(quarantined.front().find(what), std::string::npos) << quarantined.front();
    const fs::path set_aside = newest().string() + ".quarantine";
    EXPECT_NE(read_file(set_aside / "reason.txt").find(what), std::string::npos);
    fs::remove(set_aside / "reason.txt");
    fs::rename(set_aside, newest());
  }

  SmallRun run_;
  PosixFileLayer files_;
  TemporaryDirectory directory_;
};

TEST_F(Damage, NoFlippedBitGoesUnseen) {
  constexpr int kFlipsPerFile = 40;
  CounterRng random(1, Purpose::kEpochOrder, 0, 0);
  int flips = 0;
  for (const std::string& name : files_.list(newest())) {
    const std::string whole = read_file(newest() / name);
    for (int i = 0; i < kFlipsPerFile; ++i) {
      // The first hundred bytes too: superblock, first line.
      const std::uint64_t most = i % 4 == 0 ? std::min<std::uint64_t>(100, whole.size()) : whole.size();
      std::string flipped = whole;
      char& byte = flipped.at(random.below(most));
      byte = static_cast<char>(byte ^ (1 << random.below(8)));
      write_file(newest() / name, flipped);
      expect_falls_back(name);
      ++flips;
    }
    write_file(newest() / name, whole);
  }
  EXPECT_GE(flips, 200);
  EXPECT_EQ(testing::restored_step(run_, files_, directory_.path(), kDamagedRanks), 8);
}

TEST_F(Damage, TruncatedAndLengthenedFilesAreRefused) {
  for (const std::string& name : files_.list(newest())) {
    const std::string whole = read_file(newest() / name);
    for (std::size_t size = 0; size < whole.size(); size += 512) {
      write_file(newest() / name, whole.substr(0, size));
      expect_falls_back(name);
    }
    write_file(newest() / name, whole + '\0');
    expect_falls_back(name);
    write_file(newest() / name, whole);
  }
}

TEST_F(Damage, MissingAndSwappedFilesAreRefused) {
  const fs::path older = directory_ / ("snapshots/" + step_name(4));
  for (const std::string& name : files_.list(newest())) {
    const std::string whole = read_file(newest() / name);
    fs::remove(newest() / name);
    expect_falls_back(name);
    if (name != kManifestName) {
      write_file(newest() / name, read_file(older / name));
      expect_falls_back(name);
    }
    write_file(newest() / name, whole);
  }
  // Of another run with files of the same names and sizes.
  SmallRun other = run_;
  other.batches = {5};
  const TemporaryDirectory elsewhere;
  ASSERT_EQ(testing::save(other, files_, elsewhere.path(), 8, kDamagedRanks).state, SaveState::kCommitted);
  for (const std::string& name : {bank_file_name(0, kDamagedRanks), bank_file_name(1, kDamagedRanks)}) {
    const std::string whole = read_file(newest() / name);
    write_file(newest() / name, read_file(elsewhere / ("snapshots/" + step_name(8) + "/" + name)));
    expect_falls_back(name);
    write_file(newest() / name, whole);
  }
  const std::string first = read_file(newest() / bank_file_name(0, kDamagedRanks));
  write_file(newest() / bank_file_name(0, kDamagedRanks), read_file(newest() / bank_file_name(1, kDamagedRanks)));
  expect_falls_back(bank_file_name(0, kDamagedRanks));
  write_file(newest() / bank_file_name(0, kDamagedRanks), first);
  // The whole of an older one under a newer name.
  const std::string manifest = read_file(newest() / kManifestName);
  fs::rename(newest(), directory_ / "kept");
  fs::copy(older, newest());
  expect_falls_back("holds the snapshot of step 4");
}

// Data managers keep files elsewhere and leave links.
TEST_F(Damage, ALinkToAFileIsThatFile) {
  for (const std::string& name : files_.list(newest())) {
    fs::rename(newest() / name, directory_ / name);
    fs::create_symlink(directory_ / name, newest() / name);
  }
  EXPECT_EQ(testing::restored_step(run_, files_, directory_.path(), kDamagedRanks), 8);
  EXPECT_TRUE(verify_snapshot(files_, newest(), 100).empty());
  write_file(directory_ / std::string(kTrainerName), "nothing");
  EXPECT_EQ(testing::restored_step(run_, files_, directory_.path(), kDamagedRanks), 4);
}

TEST_F(Damage, ALinkThatLeadsNowhereIsNoDamage) {
  for (const std::string target : {"not-brought-here-yet", "trainer.h5"}) {
    fs::remove(newest() / kTrainerName);
    fs::create_symlink(target, newest() / kTrainerName);
    try {
      testing::restored_step(run_, files_, directory_.path(), kDamagedRanks);
      ADD_FAILURE() << "restored something else than what cannot be read";
    } catch (const std::exception& error) {
      EXPECT_NE(std::string(error.what()).find("may be good but cannot be read"), std::string::npos) << error.what();
    }
    EXPECT_TRUE(fs::exists(newest()));
  }
}

TEST_F(Damage, ANewerFormatIsRefusedAndKept) {
  Manifest manifest = read_manifest(files_, newest());
  std::string text = manifest_text(manifest);
  // A program of the next version would write the digest by the same rule.
  const std::string version = "\"version\": 1";
  const std::string newer = std::to_string(kSnapshotFormat + 1);
  text.replace(text.find(version), version.size(), "\"version\": " + newer);
  const std::size_t digest = text.find("\"digest\": \"") + 11;
  text.replace(digest, 32, digest_of(text.substr(0, digest) + text.substr(digest + 32)));
  write_file(newest() / kManifestName, text);
  try {
    testing::restored_step(run_, files_, directory_.path(), kDamagedRanks);
    FAIL() << "restored a snapshot of a newer format";
  } catch (const std::exception& error) {
    EXPECT_NE(std::string(error.what()).find("version >= " + newer), std::string::npos) << error.what();
  }
  EXPECT_TRUE(fs::exists(newest() / kManifestName));
}

TEST_F(Damage, VerifyNamesEveryBadFile) {
  EXPECT_TRUE(verify_snapshot(files_, newest(), 100).empty());
  write_file(newest() / kTrainerName, "nothing");
  fs::remove(newest() / virtual_bank_name());
  const std::vector<std::string> problems = verify_snapshot(files_, newest(), 100);
  ASSERT_EQ(problems.size(), 2U);
  EXPECT_NE((problems[0] + problems[1]).find(kTrainerName), std::string::npos);
  EXPECT_NE((problems[0] + problems[1]).find(virtual_bank_name()), std::string::npos);
}

TEST_F(Damage, ASnapshotAskedForByNameIsOpenedOrRefused) {
  run_ranks(kDamagedRanks, CommunicatorOptions{.check = true}, [&](Communicator& comm) {
    EXPECT_EQ(open_snapshot(comm, files_, newest(), {}).manifest.step, 8);
    comm.barrier();
    if (comm.rank() == 0) write_file(newest() / kTrainerName, "nothing");
    comm.barrier();
    EXPECT_THROW(open_snapshot(comm, files_, newest(), {}), SnapshotError);
    comm.barrier();
  });
  EXPECT_TRUE(fs::exists(newest())) << "only what restoring finds by itself is put into quarantine";
}

TEST(Manifest, RefusesNamesThatAreNotThoseOfASnapshot) {
  Manifest manifest{3, 1, {}, {{"trainer.h5", {10, std::string(32, '0')}}}};
  EXPECT_EQ(parse_manifest(manifest_text(manifest)).step, 3);
  for (const char* name : {"../trainer.h5", "/etc/passwd", "other.h5", "", "bank.00000-of-00001.h5"}) {
    manifest.files[0].name = name;
    EXPECT_THROW(parse_manifest(manifest_text(manifest)), SnapshotError) << name;
  }
  manifest.files[0].name = "trainer.h5";
  manifest.files.push_back(manifest.files[0]);
  EXPECT_THROW(parse_manifest(manifest_text(manifest)), SnapshotError);
}

}  // namespace
}  // namespace negatron

#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <limits>

#include <gtest/gtest.h>

#include "comm/threads/thread_communicator.h"
#include "runtime/snapshots/files/posix_file_layer.h"
#include "runtime/snapshots/trainer_file.h"
#include "tests/faults/hostile_manifest.h"
#include "tests/runtime/data/mutated_file.h"
#include "tests/runtime/data/temporary_directory.h"
#include "tests/runtime/snapshots/saved_run.h"

namespace negatron {
namespace {

namespace fs = std::filesystem;
using testing::SmallRun;
using testing::TemporaryDirectory;

constexpr int kHostileRanks = 2;

std::string content(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void set_content(const fs::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

/// The reason why a manifest is refused, with a digest that is right.
std::string manifest_refusal(const std::string& text) {
  try {
    parse_manifest(testing::with_right_digest(text));
  } catch (const SnapshotError& error) {
    return error.what();
  }
  return "nothing";
}

/// Snapshots of steps 4 and 8 over two ranks.
class HostileContent : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const std::int64_t step : {4, 8}) {
      ASSERT_EQ(testing::save(run_, files_, directory_.path(), step, kHostileRanks).state, SaveState::kCommitted);
    }
    manifest_ = content(newest() / kManifestName);
  }

  fs::path newest() const { return directory_ / ("snapshots/" + step_name(8)); }
  fs::path older() const { return directory_ / ("snapshots/" + step_name(4)); }

  std::string changed(const std::string& from, const std::string& to) const {
    std::string text = manifest_;
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from << " is not in " << text;
    return text.replace(at, from.size(), to);
  }
  std::string with_more(const std::string& value) const { return changed("\n", "\n\"more\": " + value + ", "); }

  SmallRun run_;
  PosixFileLayer files_;
  TemporaryDirectory directory_;
  std::string manifest_;
};

TEST_F(HostileContent, AManifestThatIsHardlyOneCostsNothing) {
  const long before = testing::peak_kibibytes();
  std::string lists;
  for (int i = 0; i < 1 << 20; ++i) lists += "{},";
  for (const std::string& value :
       {std::string(1 << 22, '['), "[" + lists + lists + lists + "{}]", "\"" + std::string(1 << 22, 'x') + "\""}) {
    const std::string reason = manifest_refusal(with_more(value));
    EXPECT_NE(reason, "nothing");
    EXPECT_LT(reason.size(), 400U);
  }
  EXPECT_LT(testing::peak_kibibytes() - before, testing::kMostGrowthKibibytes);
}

TEST_F(HostileContent, NumbersOfAManifestAreWholeAndPossible) {
  EXPECT_EQ(manifest_refusal(manifest_), "nothing");
  EXPECT_EQ(manifest_refusal(with_more("\"a later version says so\"")), "nothing");
  for (const char* version : {"0", "-1"}) {
    EXPECT_NE(manifest_refusal(changed("\"version\": 1", std::string("\"version\": ") + version)).find("version"),
              std::string::npos);
  }
  for (const char* value : {"8.0", "8.5", "true", "null", "\"8\"", "-8", "9223372036854775808", "1e2"}) {
    EXPECT_NE(manifest_refusal(changed("\"step\":8", std::string("\"step\":") + value)), "nothing") << value;
  }
  for (const char* height : {"40000000", "2147483664", "1099511627776"}) {
    EXPECT_NE(manifest_refusal(changed("\"height\":6", std::string("\"height\":") + height)), "nothing") << height;
  }
  EXPECT_NE(manifest_refusal(changed("\"width\":5", "\"width\":16000000")), "nothing");
  EXPECT_NE(manifest_refusal(changed("\"world_size\":2", "\"world_size\":4294967298")), "nothing");
}

TEST_F(HostileContent, AQueueIsNoMemoryBankAndOtherKindsAreNone) {
  const std::string bank = "\"bank\":{";
  EXPECT_EQ(manifest_refusal(changed(bank, bank + "\"kind\":\"queue\",")), "nothing");
  const std::string as_memory = manifest_refusal(changed(bank, bank + "\"kind\":\"memory\","));
  EXPECT_NE(as_memory.find("not one batch of all its rows"), std::string::npos) << as_memory;
  const std::string unknown = manifest_refusal(changed(bank, bank + "\"kind\":\"tree\","));
  EXPECT_NE(unknown.find("unknown kind 'tree'"), std::string::npos) << unknown;
}

/// Older programs go on reading queues.
TEST(ManifestVersion, IsThatOfTheBanksKind) {
  SavedBank bank;
  bank.layout = BankLayout(8, 1, 8).state();
  bank.layout.head = 8;
  bank.layout.next_number = 1;
  bank.layout.batches = {{0, 0, 8, -1}};
  bank.width = 4;
  const auto written = [&](BankKind kind) {
    bank.kind = kind;
    return manifest_text({3, 1, {bank}, {}});
  };
  EXPECT_NE(written(BankKind::kQueue).find("\"version\": 1,"), std::string::npos);
  EXPECT_EQ(written(BankKind::kQueue).find("kind"), std::string::npos);
  EXPECT_NE(written(BankKind::kMemory).find("\"version\": 2,"), std::string::npos);
  EXPECT_NE(written(BankKind::kMemory).find("\"kind\":\"memory\""), std::string::npos);
}

TEST_F(HostileContent, AFileThatClaimsToBeHugeIsNotRead) {
  for (const std::string& name : files_.list(newest())) fs::resize_file(newest() / name, std::uintmax_t{1} << 40U);
  const auto began = std::chrono::steady_clock::now();
  EXPECT_FALSE(verify_snapshot(files_, newest(), 1 << 20).empty());
  // The manifest again, so that the others are looked at.
  set_content(newest() / kManifestName, manifest_);
  EXPECT_EQ(verify_snapshot(files_, newest(), 1 << 20).size(), 4U);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(5));
}

TEST_F(HostileContent, AnUnreadableStateWithRightDigestsLeadsToAnOlderSnapshot) {
  const fs::path trainer = newest() / kTrainerName;
  const std::string whole = content(trainer);
  std::string wrong = whole;
  // The name of a dataset becomes another one.
  const std::size_t at = wrong.find("tensor_order");
  ASSERT_NE(at, std::string::npos);
  wrong[at] = 'T';
  set_content(trainer, wrong);
  testing::renew_digests(newest());
  std::vector<std::string> quarantined;
  EXPECT_EQ(testing::restored_step(run_, files_, directory_.path(), kHostileRanks, &quarantined), 4);
  ASSERT_EQ(quarantined.size(), 1U);
  EXPECT_NE(quarantined.front().find("tensor_order"), std::string::npos) << quarantined.front();
}

TEST_F(HostileContent, AStateThatTheRunRefusesLeadsToAnOlderSnapshotToo) {
  run_ranks(kHostileRanks, CommunicatorOptions{.check = true}, [&](Communicator& comm) {
    FindOptions options;
    options.check_state = [](const Manifest& manifest, const TrainerState&) {
      if (manifest.step == 8) throw SnapshotError("No.");
    };
    const FoundSnapshot found = find_newest_snapshot(comm, files_, directory_.path(), options);
    ASSERT_TRUE(found.snapshot.has_value());
    EXPECT_EQ(found.snapshot->manifest.step, 4);
    comm.barrier();
  });
}

TEST_F(HostileContent, OnlyDamagedSnapshotsAreToldAndNotTouched) {
  for (const fs::path& snapshot : {newest(), older()}) set_content(snapshot / kTrainerName, "nothing");
  const auto damaged = [&] {
    std::vector<std::string> said;
    run_ranks(kHostileRanks, CommunicatorOptions{.check = true}, [&](Communicator& comm) {
      const FoundSnapshot found = find_newest_snapshot(comm, files_, directory_.path(), {});
      EXPECT_FALSE(found.snapshot.has_value());
      EXPECT_TRUE(found.quarantined.empty());
      if (comm.rank() == 0) said = found.damaged;
      comm.barrier();
    });
    return said;
  };
  ASSERT_EQ(damaged().size(), 2U);
  EXPECT_NE(damaged()[0].find(step_name(8)), std::string::npos);
  EXPECT_TRUE(fs::exists(newest()) && fs::exists(older()));
  // Those that an earlier start set aside count as well.
  fs::remove_all(older());
  fs::rename(newest(), newest().string() + ".quarantine");
  ASSERT_EQ(damaged().size(), 1U);
  EXPECT_NE(damaged()[0].find("set aside by an earlier start"), std::string::npos);
}

// HDF5 freed a table of attributes that it had not filled: with memory that is not zero by chance, a crash.
TEST_F(HostileContent, NoByteOfTheAttributesEndsTheProcess) {
  const fs::path trainer = newest() / kTrainerName;
  const std::string whole = content(trainer);
  const std::string name = run_.state(8).numbers.begin()->first;
  const std::size_t at = whole.find(name);
  ASSERT_NE(at, std::string::npos);
  constexpr std::size_t kAround = 72;
  const pid_t child = ::fork();
  if (child == 0) {
    constexpr int kFill = 165;
    ::mallopt(M_PERTURB, kFill);
    for (std::size_t i = at - kAround; i < at + kAround; ++i) {
      std::string wrong = whole;
      wrong[i] = '\xFF';
      set_content(trainer, wrong);
      try {
        read_trainer_file(trainer);
      } catch (const SnapshotError&) {
        continue;
      }
    }
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "signal " << WTERMSIG(status);
}

}  // namespace
}  // namespace negatron

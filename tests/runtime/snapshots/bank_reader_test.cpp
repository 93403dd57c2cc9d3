#include "runtime/snapshots/bank_reader.h"

#include <functional>

#include <gtest/gtest.h>

#include "comm/threads/thread_communicator.h"
#include "runtime/snapshots/files/posix_file_layer.h"
#include "runtime/snapshots/find_snapshot.h"
#include "tests/runtime/data/temporary_directory.h"
#include "tests/runtime/snapshots/saved_run.h"

namespace negatron {
namespace {

using testing::SmallRun;
using testing::TemporaryDirectory;

constexpr std::int64_t kReadSteps = 7;
constexpr std::int64_t kBlockBytes = 64;

/// A saved bank of 2 shards whose files were replaced by those of `other`, which no digest would tell.
class ForeignShards : public ::testing::Test {
 protected:
  std::string refusal(const std::function<void(SmallRun&)>& change, std::int64_t steps = kReadSteps) {
    const TemporaryDirectory directory;
    PosixFileLayer files;
    SmallRun other = run_;
    change(other);
    EXPECT_EQ(testing::save(run_, files, directory.path(), kReadSteps, 2).state, SaveState::kCommitted);
    const std::filesystem::path snapshot = directory / ("snapshots/" + step_name(kReadSteps));
    const SavedBank bank = read_manifest(files, snapshot).bank();
    const TemporaryDirectory elsewhere;
    EXPECT_EQ(testing::save(other, files, elsewhere.path(), steps, 2).state, SaveState::kCommitted);
    for (int shard = 0; shard < 2; ++shard) {
      std::filesystem::rename(elsewhere / ("snapshots/" + step_name(steps) + "/" + bank_file_name(shard, 2)),
                              snapshot / bank_file_name(shard, 2));
    }
    try {
      BankReader reader(snapshot, bank, kBlockBytes);
      reader.read({reader.layout().floor(), reader.layout().head()});
    } catch (const SnapshotError& error) {
      return error.what();
    }
    return "";
  }

  SmallRun run_;
};

TEST_F(ForeignShards, OfUnitRowsAreNoneOfARawBank) {
  run_.length = RowLength::kAsMade;
  EXPECT_EQ(refusal([](SmallRun&) {}), "");
  EXPECT_NE(refusal([](SmallRun& other) { other.length = RowLength::kUnit; }).find("its length of rows differs"),
            std::string::npos);
  EXPECT_NE(refusal([](SmallRun& other) { other.length = RowLength::kDistance; }).find("its length of rows differs"),
            std::string::npos);
}

TEST_F(ForeignShards, OfRawRowsAreNoneOfABankOfDistances) {
  run_.length = RowLength::kDistance;
  EXPECT_EQ(refusal([](SmallRun&) {}), "");
  for (const RowLength length : {RowLength::kUnit, RowLength::kAsMade}) {
    EXPECT_NE(refusal([&](SmallRun& other) { other.length = length; }).find("its length of rows differs"),
              std::string::npos);
  }
}

/// A version of their own, so that programs of before say that they do not know it, and the words of the length.
TEST(Manifest, SaysThatRowsAreThoseOfDistances) {
  Manifest manifest;
  manifest.banks = {SavedBank{BankLayout(7, 1, 7).state(), 1, 5}};
  const std::string shard = bank_file_name(0, 1);
  for (const std::string& name : {virtual_bank_name(), shard}) {
    manifest.files.push_back({name, {0, std::string(32, '0')}});
  }
  SavedBank& bank = manifest.banks.front();
  bank.length = RowLength::kDistance;
  const std::string text = manifest_text(manifest);
  EXPECT_NE(text.find("\"version\": 5,"), std::string::npos);
  EXPECT_NE(text.find("\"row_length\":\"distance\""), std::string::npos);
  EXPECT_EQ(parse_manifest(text).bank().length, RowLength::kDistance);
  EXPECT_EQ(raw_dataset(bank).width, 3);
  EXPECT_EQ(moments_dataset(bank).width, 3);
  const auto refusal = [&](std::int64_t width, at::ScalarType dtype) -> std::string {
    bank.width = width;
    bank.dtype = dtype;
    try {
      parse_manifest(manifest_text(manifest));
    } catch (const SnapshotError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(refusal(3, at::kDouble), "");
  EXPECT_NE(refusal(2, at::kFloat).find("rows of width 2"), std::string::npos);
  EXPECT_NE(refusal(5, at::kBFloat16).find("width 5 in bf16"), std::string::npos);
}

/// Programs of before go on reading what they know, and refuse what they would take for unit rows.
TEST(Manifest, SaysTheLengthOfRowsWhereItIsNotOne) {
  Manifest manifest;
  manifest.banks = {SavedBank{BankLayout(7, 1, 3).state(), 1, 5}};
  const std::string shard = bank_file_name(0, 1);
  for (const std::string& name : {virtual_bank_name(), shard}) {
    manifest.files.push_back({name, {0, std::string(32, '0')}});
  }
  const std::string unit = manifest_text(manifest);
  EXPECT_NE(unit.find("\"version\": 1,"), std::string::npos);
  EXPECT_EQ(unit.find("row_length"), std::string::npos);
  EXPECT_EQ(parse_manifest(unit).bank().length, RowLength::kUnit);
  manifest.banks.front().length = RowLength::kAsMade;
  const std::string raw = manifest_text(manifest);
  EXPECT_NE(raw.find("\"version\": 3,"), std::string::npos);
  EXPECT_EQ(parse_manifest(raw).bank().length, RowLength::kAsMade);
  manifest.banks.front().kind = BankKind::kLearned;
  EXPECT_THROW(parse_manifest(manifest_text(manifest)), SnapshotError);
}

TEST_F(ForeignShards, AreRefusedWithWhatDiffers) {
  EXPECT_EQ(refusal([](SmallRun&) {}), "");
  EXPECT_NE(refusal([](SmallRun& other) { other.width = 6; }).find("its shape of rows differs"), std::string::npos);
  EXPECT_NE(refusal([](SmallRun& other) { other.dtype = at::kBFloat16; }).find("its type of rows differs"),
            std::string::npos);
  EXPECT_NE(refusal([](SmallRun& other) { other.length = RowLength::kAsMade; }).find("its length of rows differs"),
            std::string::npos);
  EXPECT_NE(refusal([](SmallRun& other) { other.rows = 24; }).find("its capacity differs"), std::string::npos);
  EXPECT_NE(refusal([](SmallRun&) {}, kReadSteps + 1).find("its head differs"), std::string::npos);
  // As many keys, in other batches.
  EXPECT_NE(refusal([](SmallRun& other) { other.batches = {6, 5, 7}; }).find("differs"), std::string::npos);
}

TEST(BankReader, AsksForWhatIsThereOnly) {
  const SmallRun run;
  const TemporaryDirectory directory;
  PosixFileLayer files;
  ASSERT_EQ(testing::save(run, files, directory.path(), kReadSteps, 2).state, SaveState::kCommitted);
  const std::filesystem::path snapshot = directory / ("snapshots/" + step_name(kReadSteps));
  BankReader reader(snapshot, read_manifest(files, snapshot).bank(), kBlockBytes);
  const Range all{reader.layout().floor(), reader.layout().head()};
  EXPECT_THROW(reader.read({all.begin - 1, all.end}), SnapshotError);
  EXPECT_THROW(reader.read({all.begin, all.end + 1}), SnapshotError);
  EXPECT_THROW(reader.read({all.begin, all.begin}), SnapshotError);
  // Any part, also backwards, is the part of the whole.
  const BankBlock whole = reader.read(all);
  for (std::int64_t begin = all.end - 1; begin >= all.begin; --begin) {
    for (const std::int64_t end : {begin + 1, all.end}) {
      const BankBlock some = reader.read({begin, end});
      EXPECT_TRUE(at::equal(some.vectors, whole.vectors.slice(0, begin - all.begin, end - all.begin)));
      EXPECT_TRUE(at::equal(some.sequence, at::arange(begin, end, at::kLong)));
      EXPECT_TRUE(at::equal(some.ids, whole.ids.slice(0, begin - all.begin, end - all.begin)));
    }
  }
}

}  // namespace
}  // namespace negatron

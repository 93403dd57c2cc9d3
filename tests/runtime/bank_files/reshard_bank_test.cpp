#include "runtime/bank_files/reshard_bank.h"

#include <fstream>

#include <gtest/gtest.h>

#include "runtime/bank_files/diff_banks.h"
#include "runtime/bank_files/write_bank.h"
#include "runtime/snapshots/snapshot_directory.h"
#include "tests/runtime/bank_files/made_bank.h"
#include "tests/runtime/data/temporary_directory.h"
#include "tests/runtime/snapshots/saved_run.h"

namespace negatron {
namespace {

namespace fs = std::filesystem;
using testing::kPlenty;
using testing::opened;
using testing::SmallRun;
using testing::TemporaryDirectory;

struct Case {
  const char* name;
  SmallRun run;
  std::int64_t steps;
};

class Reshard : public ::testing::TestWithParam<Case> {};

/// Names and digests of all files: two snapshots with the same are the same to the last byte.
std::vector<std::pair<std::string, std::string>> digests(const OpenBank& bank) {
  std::vector<std::pair<std::string, std::string>> all;
  for (const ManifestFile& file : bank.manifest.files) all.emplace_back(file.name, file.digest.xxh3_128);
  std::sort(all.begin(), all.end());
  return all;
}

TEST_P(Reshard, GoesThroughOtherNumbersOfRanksAndComesBackTheSame) {
  const auto& [name, run, steps] = GetParam();
  const TemporaryDirectory directory;
  PosixFileLayer files;
  const fs::path saved = testing::save_run(run, files, directory / "run", steps, 4);
  const OpenBank original = opened(files, saved);
  OpenBank last = original;
  for (const int ranks : {3, 1, 7, 4}) {
    const fs::path next = directory / ("over-" + std::to_string(ranks));
    reshard_banks(files, {last}, next, ranks, BankMemory(kPlenty));
    last = opened(files, next);
    EXPECT_EQ(last.bank().shards, ranks);
    const BankDiff diff = diff_banks(original, last, BankMemory(kPlenty));
    EXPECT_TRUE(diff.equal()) << name << " over " << ranks;
    EXPECT_EQ(diff.common, original.layout().filled());
  }
  EXPECT_EQ(digests(last), digests(original));
}

TEST_P(Reshard, TheRunGoesOnFromTheResult) {
  const auto& [name, run, steps] = GetParam();
  const TemporaryDirectory directory;
  PosixFileLayer files;
  const fs::path saved = testing::save_run(run, files, directory / "run", steps, 2);
  fs::create_directories(directory / "other/snapshots");
  reshard_banks(files, {opened(files, saved)}, directory / ("other/snapshots/" + step_name(steps)), 3,
                BankMemory(kPlenty));
  // Compares the restored bank and the trainer's state with what they must be.
  EXPECT_EQ(testing::restored_step(run, files, directory / "other", 3), steps) << name;
  EXPECT_EQ(testing::restored_step(run, files, directory / "other", 2), steps) << name;
}

INSTANTIATE_TEST_SUITE_P(Banks, Reshard,
                         ::testing::Values(Case{"fp32", {}, 9}, Case{"fp64", {23, 5, at::kDouble}, 9},
                                           Case{"bf16", {23, 5, at::kBFloat16}, 9}, Case{"fp16", {23, 5, at::kHalf}, 9},
                                           Case{
                                               "several_batches", {23, 5, at::kFloat, BankFill::kRandom, {6, 2, 7}}, 8},
                                           Case{"partly_filled", {50, 3, at::kFloat, BankFill::kEmpty, {6}}, 4},
                                           Case{"empty", {50, 3, at::kFloat, BankFill::kEmpty, {6}}, 0},
                                           Case{"one_row", {1, 1, at::kFloat, BankFill::kRandom, {5}}, 3}),
                         [](const auto& tested) { return std::string(tested.param.name); });

/// Bytes that this process has asked of files so far.
std::int64_t bytes_read() {
  std::ifstream io("/proc/self/io");
  std::string name;
  std::int64_t bytes = 0;
  while (io >> name >> bytes) {
    if (name == "rchar:") return bytes;
  }
  throw std::runtime_error("/proc/self/io says nothing of bytes read");
}

/// Rows that learn, all numbers of which differ, so that one that strays is seen.
class LearnedRowsSaved {
 public:
  LearnedRowsSaved(std::int64_t rows, std::int64_t width, RowOptimizerKind optimizer) {
    BankLayout layout(rows, 1, rows);
    layout.append(rows, -1);
    bank_.step = 4;
    bank_.bank = {layout.state(), 3, width, at::kBFloat16, BankKind::kParametric, RowLength::kUnit, optimizer};
    const at::Tensor raw = at::sin(at::arange(rows * width, at::kFloat)).view({rows, width});
    const std::int64_t remembered = moments_width(optimizer, width);
    content_ = {raw.to(at::kBFloat16),
                at::arange(rows),
                at::arange(rows) % 7,
                at::arange(rows) % 5,
                at::arange(rows),
                raw,
                at::cos(at::arange(rows * remembered, at::kFloat)).view({rows, remembered})};
    bank_.raw = [this](Range keys) { return content_.raw.narrow(0, keys.begin, keys.size()); };
    bank_.moments = [this](Range keys) { return content_.moments.narrow(0, keys.begin, keys.size()); };
  }

  void write(FileLayer& files, const fs::path& path) {
    const auto read = [this](Range keys) { return part_of(content_, keys.begin, keys.size()); };
    write_bank(files, path, bank_, read, 4096);
  }
  const BankBlock& content() const { return content_; }

 private:
  NewBank bank_;
  BankBlock content_;
};

TEST(ReshardBank, RowsThatLearnKeepAllThatTheyHave) {
  for (const RowOptimizerKind optimizer :
       {RowOptimizerKind::kSgd, RowOptimizerKind::kAdagrad, RowOptimizerKind::kAdam}) {
    const TemporaryDirectory directory;
    PosixFileLayer files;
    LearnedRowsSaved saved(11, 3, optimizer);
    saved.write(files, directory / "three");
    OpenBank last = opened(files, directory / "three");
    for (const int ranks : {2, 1, 9, 13, 3}) {
      const fs::path next = directory / ("over-" + std::to_string(ranks));
      reshard_banks(files, {last}, next, ranks, BankMemory(kPlenty));
      last = opened(files, next);
      const BankBlock found = last.whole_reader(4).read({0, 11});
      EXPECT_TRUE(at::equal(found.vectors, saved.content().vectors)) << ranks;
      EXPECT_TRUE(at::equal(found.ids, saved.content().ids)) << ranks;
      EXPECT_TRUE(at::equal(found.labels, saved.content().labels)) << ranks;
      EXPECT_TRUE(at::equal(found.steps, saved.content().steps)) << ranks;
      EXPECT_TRUE(at::equal(found.raw, saved.content().raw)) << ranks;
      EXPECT_TRUE(at::equal(found.moments, saved.content().moments)) << ranks;
    }
    EXPECT_EQ(digests(last), digests(opened(files, directory / "three")));
  }
}

TEST(ReshardBank, RowsThatLearnAreReadOnce) {
  const TemporaryDirectory directory;
  PosixFileLayer files;
  LearnedRowsSaved(20000, 64, RowOptimizerKind::kAdam).write(files, directory / "three");
  const OpenBank bank = opened(files, directory / "three");
  std::int64_t size = 0;
  for (const ManifestFile& file : bank.manifest.files) size += file.digest.bytes;
  ASSERT_GT(size, 10 << 20);
  const std::int64_t before = bytes_read();
  // Memory for a tenth of it, so that no block is all there is.
  reshard_banks(files, {bank}, directory / "two", 2, BankMemory(4 << 20));
  // Once, and once more what was written, which is read back.
  EXPECT_LT(static_cast<double>(bytes_read() - before), 2.2 * static_cast<double>(size));
}

TEST(ReshardBank, RefusesWhatCannotBeAndLeavesNothing) {
  const TemporaryDirectory directory;
  PosixFileLayer files;
  const SmallRun run;
  const OpenBank bank = opened(files, testing::save_run(run, files, directory / "run", 7, 2));
  fs::create_directories(directory / "out");
  const auto reshard = [&](const fs::path& out, std::int64_t ranks, std::int64_t memory = kPlenty) {
    return testing::refusal([&] { reshard_banks(files, {bank}, out, ranks, BankMemory(memory)); });
  };
  EXPECT_NE(reshard(directory / "out", 2).find("usage: '" + (directory / "out").string() + "' exists"),
            std::string::npos);
  EXPECT_NE(reshard(directory / "out/a", 0).find("--ranks must be 1 to 99999, not 0"), std::string::npos);
  EXPECT_NE(reshard(directory / "out/a", 100000).find("--ranks"), std::string::npos);
  EXPECT_NE(reshard(directory / "nowhere/a", 2).find("no directory"), std::string::npos);
  EXPECT_NE(reshard(directory / "out/step-000000008", 2).find("of step 7; call it step-000000007"), std::string::npos);
  // The trainer's file changes after it was verified.
  fs::resize_file(bank.path / "trainer.h5", 100);
  EXPECT_NE(reshard(directory / "out/a", 2).find("snapshot: "), std::string::npos);
  EXPECT_TRUE(fs::is_empty(directory / "out"));
}

TEST(ReshardBank, ARunIsItsNewestSnapshotThatVerifies) {
  const TemporaryDirectory directory;
  PosixFileLayer files;
  const SmallRun run;
  testing::save_run(run, files, directory / "run", 5, 2);
  const fs::path newest = testing::save_run(run, files, directory / "run", 7, 2);
  EXPECT_EQ(opened(files, directory / "run").path, newest);
  fs::resize_file(newest / "bank.h5", 10);
  const OpenBank older = opened(files, directory / "run");
  EXPECT_EQ(older.manifest.step, 5);
  ASSERT_EQ(older.notes.size(), 2U);
  EXPECT_NE(older.notes[0].find("bank.h5"), std::string::npos);
  // Looking is not touching.
  EXPECT_TRUE(fs::exists(newest));
  EXPECT_NE(testing::refusal([&] { opened(files, newest); }).find("snapshot: "), std::string::npos);
  EXPECT_NE(testing::refusal([&] { opened(files, directory.path()); }).find("usage: "), std::string::npos);
}

}  // namespace
}  // namespace negatron

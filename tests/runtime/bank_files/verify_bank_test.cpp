#include "runtime/bank_files/verify_bank.h"

#include <gtest/gtest.h>

#include <fstream>
#include <limits>

#include "runtime/bank_files/merge_banks.h"
#include "runtime/bank_files/write_bank.h"
#include "samplers/bank/row_geometry.h"
#include "tests/runtime/bank_files/made_bank.h"
#include "tests/runtime/data/temporary_directory.h"

namespace negatron {
namespace {

namespace fs = std::filesystem;
using testing::kPlenty;
using testing::MadeRow;
using testing::SmallRun;
using testing::TemporaryDirectory;

class VerifyBank : public ::testing::Test {
 protected:
  SnapshotVerdict verify(const fs::path& path) { return verify_bank(files_, path, BankMemory(kPlenty)); }
  /// Names of the bad files, and what is said of them.
  std::vector<std::pair<std::string, std::string>> bad_files(const fs::path& path) {
    std::vector<std::pair<std::string, std::string>> bad;
    for (const FileVerdict& file : verify(path).files) {
      if (!file.problem.empty()) bad.emplace_back(file.name, file.problem);
    }
    return bad;
  }
  /// The one bad file of a bank that is made of these rows on 2 shards.
  std::pair<std::string, std::string> bad_file_of(const std::vector<MadeRow>& rows, std::int64_t step = 100) {
    const fs::path path = directory_ / ("made" + std::to_string(++made_));
    testing::write_made_bank(files_, path, rows, 2, step);
    const auto bad = bad_files(path);
    EXPECT_EQ(bad.size(), 1U);
    return bad.empty() ? std::pair<std::string, std::string>() : bad.front();
  }

  TemporaryDirectory directory_;
  PosixFileLayer files_;
  int made_ = 0;
};

TEST_F(VerifyBank, WholeSnapshotsOfAllTypesAreGood) {
  for (const at::ScalarType dtype : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16}) {
    const SmallRun run{23, 300, dtype, BankFill::kRandom, {6, 2, 7}};
    const fs::path path = testing::save_run(run, files_, directory_ / at::toString(dtype), 7, 3);
    EXPECT_TRUE(bad_files(path).empty()) << bad_files(path).front().second;
    EXPECT_EQ(verify(path).files.size(), 1U + 3U + 2U);
  }
  const SmallRun empty{50, 3, at::kFloat, BankFill::kEmpty, {6}};
  EXPECT_TRUE(verify(testing::save_run(empty, files_, directory_ / "empty", 0, 2)).good());
}

TEST_F(VerifyBank, EveryDamagedFileIsNamed) {
  const fs::path path = testing::save_run({}, files_, directory_ / "run", 7, 3);
  for (const FileVerdict& file : verify(path).files) {
    const fs::path victim = path / file.name;
    fs::copy_file(victim, directory_ / "kept");
    {
      std::fstream stream(victim, std::ios::in | std::ios::out | std::ios::binary);
      stream.seekg(200);
      const auto byte = static_cast<char>(stream.get() ^ 1);
      stream.seekp(200);
      stream.put(byte);
    }
    const auto bad = bad_files(path);
    ASSERT_EQ(bad.size(), 1U) << file.name;
    EXPECT_EQ(bad[0].first, file.name);
    EXPECT_NE(bad[0].second.find(file.name), std::string::npos) << bad[0].second;
    fs::remove(victim);
    EXPECT_EQ(bad_files(path).size(), 1U) << file.name << " is missing";
    fs::rename(directory_ / "kept", victim);
  }
  EXPECT_TRUE(verify(path).good());
}

TEST_F(VerifyBank, RowsThatNoRunWritesAreFoundThoughDigestsAreRight) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  // Of 4 rows of one step the first two lie in the first file.
  auto [file, problem] = bad_file_of({{0.1, 1, 0, 3}, {0.2, 2, 0, 3}, {0.3, 3, 0, 3, 1.001}, {0.4, 4, 0, 3}});
  EXPECT_EQ(file, "bank.00001-of-00002.h5");
  EXPECT_NE(problem.find("the key 2 has norm 1.001"), std::string::npos) << problem;
  std::tie(file, problem) = bad_file_of({{0.1, 1, 0, 3}, {0.2, 2, 0, 3, kNone}, {0.3, 3, 0, 3}, {0.4, 4, 0, 3}});
  EXPECT_EQ(file, "bank.00000-of-00002.h5");
  EXPECT_NE(problem.find("the key 1 holds a number that is not finite"), std::string::npos) << problem;
  std::tie(file, problem) = bad_file_of({{0.1, 1, 0, 3}, {0.2, 2, 0, 3}, {0.3, 3, 0, 3}, {0.1, 1, 0, 3}});
  EXPECT_EQ(file, "bank.00001-of-00002.h5");
  EXPECT_NE(problem.find("the key 3 is the key 0 once more"), std::string::npos) << problem;
}

/// Of a learned bank the raw rows say what its rows are.
TEST_F(VerifyBank, LearnedRowsThatAreNotWhatTheirRawRowsComeToAreFound) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  NewBank bank;
  bank.step = 4;
  BankLayout layout(3, 1, 3);
  layout.append(3, -1);
  bank.bank = {layout.state(), 2, 2, at::kBFloat16, BankKind::kLearned};
  BankBlock rows;
  rows.raw = at::tensor({0.3, 0.4, -2.0, 1.0, 0.0, 0.7}, at::kFloat).view({3, 2});
  rows.vectors = scored_rows(rows.raw).to(at::kBFloat16);
  rows.ids = rows.labels = at::full({3}, -1, at::kLong);
  rows.steps = at::tensor({4, 4, -1}, at::kLong);
  rows.sequence = at::arange(3, at::kLong);
  rows.moments = at::ones({3, 2}, at::kFloat);
  bank.raw = [&](Range keys) { return rows.raw.narrow(0, keys.begin, keys.size()); };
  bank.moments = [&](Range keys) { return rows.moments.narrow(0, keys.begin, keys.size()); };
  const auto problem_with = [&](const std::string& name) {
    write_bank(
        files_, directory_ / name, bank, [&](Range keys) { return part_of(rows, keys.begin, keys.size()); }, 2);
    const auto bad = bad_files(directory_ / name);
    return bad.empty() ? std::string() : bad.front().first + ": " + bad.front().second;
  };
  EXPECT_EQ(problem_with("good"), "");
  rows.raw[1][0] = 2.0;
  EXPECT_NE(problem_with("turned").find("the key 1 is not what its raw row comes to"), std::string::npos);
  rows.raw[1][0] = kNone;
  EXPECT_NE(problem_with("none").find("the key 1 is not what its raw row comes to"), std::string::npos);
  rows.raw[1][0] = -2.0;
  rows.moments[2][1] = kNone;
  const std::string moving = problem_with("moving");
  EXPECT_NE(moving.find("bank.00001-of-00002.h5"), std::string::npos) << moving;
  EXPECT_NE(moving.find("the key 2"), std::string::npos) << moving;
  rows.moments[2][1] = 0.0;
  rows.ids = at::arange(3, at::kLong);
  EXPECT_NE(problem_with("named").find("other keys than its manifest says"), std::string::npos);
}

TEST_F(VerifyBank, RowsThatWereRoundedOnTheWayAreGood) {
  const SmallRun run{23, 30, at::kBFloat16};
  const OpenBank brain = testing::opened(files_, testing::save_run(run, files_, directory_ / "run", 7, 3));
  for (const at::ScalarType dtype : {at::kHalf, at::kFloat, at::kDouble}) {
    const fs::path path = directory_ / at::toString(dtype);
    MergeOptions options;
    options.convert = dtype;
    merge_banks(files_, {brain}, path, options, BankMemory(kPlenty));
    EXPECT_TRUE(bad_files(path).empty()) << bad_files(path).front().second;
  }
}

TEST_F(VerifyBank, StepsFromTheFutureOrInTheWrongOrderAreTheManifestsFault) {
  auto [file, problem] = bad_file_of({{0.1, 1, 0, 3}, {0.2, 2, 0, 8}}, 7);
  EXPECT_EQ(file, "manifest.json");
  EXPECT_NE(problem.find("step 8, after the snapshot of step 7"), std::string::npos) << problem;
  std::tie(file, problem) = bad_file_of({{0.1, 1, 0, 5}, {0.2, 2, 0, 4}});
  EXPECT_EQ(file, "manifest.json");
  EXPECT_NE(problem.find("keys of step 4 came after those of step 5"), std::string::npos) << problem;
}

TEST_F(VerifyBank, RandomRowsMayRepeatAndStrangersAreTold) {
  const fs::path path = directory_ / "made";
  testing::write_made_bank(files_, path, {{0.1}, {0.1}, {0.2, 1, 0, 3}, {0.2, 2, 0, 3}});
  std::ofstream(path / "notes.txt") << "from the night shift";
  const SnapshotVerdict verdict = verify(path);
  EXPECT_TRUE(verdict.good());
  EXPECT_EQ(verdict.strangers, std::vector<std::string>{"notes.txt"});
}

}  // namespace
}  // namespace negatron

#include "runtime/bank_files/merge_banks.h"

#include <gtest/gtest.h>

#include "runtime/bank_files/diff_banks.h"
#include "runtime/bank_files/verify_bank.h"
#include "tests/runtime/bank_files/made_bank.h"
#include "tests/runtime/data/temporary_directory.h"

namespace negatron {
namespace {

namespace fs = std::filesystem;
using testing::kPlenty;
using testing::MadeRow;
using testing::opened;
using testing::SmallRun;
using testing::TemporaryDirectory;

class MergeBanks : public ::testing::Test {
 protected:
  MergeResult merge(const std::vector<OpenBank>& banks, const std::string& out, const MergeOptions& options = {},
                    std::int64_t memory = kPlenty) {
    return merge_banks(files_, banks, directory_ / out, options, BankMemory(memory));
  }
  OpenBank saved(const std::string& name, const SmallRun& run, std::int64_t steps, int ranks) {
    return opened(files_, testing::save_run(run, files_, directory_ / name, steps, ranks));
  }
  OpenBank made(const std::string& name, const std::vector<MadeRow>& rows, at::ScalarType dtype = at::kDouble) {
    testing::write_made_bank(files_, directory_ / name, rows, 1, 100, dtype);
    return opened(files_, directory_ / name);
  }
  BankDiff diff(const OpenBank& a, const std::string& b) {
    return diff_banks(a, opened(files_, directory_ / b), BankMemory(kPlenty));
  }

  TemporaryDirectory directory_;
  PosixFileLayer files_;
};

TEST_F(MergeBanks, TwoTimesOfOneRunAreTheLongerBankOfThatRun) {
  const OpenBank early = saved("early", {}, 7, 2);
  const OpenBank late = saved("late", {}, 9, 3);
  MergeOptions options;
  options.ranks = 2;
  // In either order: what is newer is told by the steps.
  const MergeResult result = merge({late, early}, "merged", options);
  // The last 23 keys of 7 and of 9 steps of 6: the last 35.
  EXPECT_EQ(result.duplicates, 11);
  EXPECT_EQ(result.dropped, 0);
  EXPECT_EQ(result.manifest.bank().layout.capacity, 46);
  EXPECT_EQ(result.manifest.bank().layout.head, 35);
  EXPECT_EQ(result.manifest.step, 9);
  SmallRun longer;
  longer.rows = 35;
  EXPECT_TRUE(diff(saved("longer", longer, 9, 1), "merged").equal());
  EXPECT_TRUE(verify_bank(files_, directory_ / "merged", BankMemory(kPlenty)).good());
}

TEST_F(MergeBanks, TheNewestKeysSurvive) {
  MergeOptions options;
  options.rows = 29;
  const MergeResult result = merge({saved("early", {}, 7, 2), saved("late", {}, 9, 3)}, "merged", options);
  EXPECT_EQ(result.dropped, 6);
  SmallRun shorter;
  shorter.rows = 29;
  EXPECT_TRUE(diff(saved("shorter", shorter, 9, 4), "merged").equal());
}

TEST_F(MergeBanks, RowsOfTwoRunsStandInTheOrderOfTheirSteps) {
  const OpenBank a = made("a", {{0.1}, {0.3, 1, 0, 4}, {0.5, 2, 0, 6}});
  const OpenBank b = made("b", {{0.2}, {0.4, 1, 0, 4}, {0.6, 3, 1, 5}, {0.3, 1, 0, 4 + 3}});
  const MergeResult result = merge({a, b}, "merged");
  EXPECT_EQ(result.duplicates, 0);
  EXPECT_TRUE(diff(made("expected",
                        {{0.1}, {0.2}, {0.3, 1, 0, 4}, {0.4, 1, 0, 4}, {0.6, 3, 1, 5}, {0.5, 2, 0, 6}, {0.3, 1, 0, 7}}),
                   "merged")
                  .equal());
}

TEST_F(MergeBanks, DuplicatesAreKeptOnceAlsoInsideOneBankAndWithLittleMemory) {
  const SmallRun run{20000, 4, at::kFloat, BankFill::kRandom, {600}};
  const OpenBank bank = saved("bank", run, 10, 1);
  const MergeResult result = merge({bank, saved("again", run, 10, 3), bank}, "merged", {}, std::int64_t{2} << 20);
  EXPECT_EQ(result.duplicates, 40000);
  EXPECT_TRUE(diff(bank, "merged").equal());
  const OpenBank twice = made("twice", {{0.1, 1, 0, 3}, {0.2, 2, 0, 3}, {0.1, 1, 0, 3}, {0.2, 2, 0, 4}});
  EXPECT_EQ(merge({twice}, "once").duplicates, 1);
  EXPECT_TRUE(diff(made("expected", {{0.1, 1, 0, 3}, {0.2, 2, 0, 3}, {0.2, 2, 0, 4}}), "once").equal());
}

TEST_F(MergeBanks, DifferentBanksAreRefusedAndTypesAreRounded) {
  const OpenBank real = made("real", {{0.1, 1, 0, 3}, {0.2, 2, 0, 3}});
  const OpenBank single = made("single", {{0.1, 1, 0, 3}, {0.3, 2, 0, 4}}, at::kFloat);
  const OpenBank wide = saved("wide", {}, 3, 1);
  const auto refusal = [&](const std::vector<OpenBank>& banks) {
    return testing::refusal([&] { merge(banks, "merged"); });
  };
  const std::string width = refusal({real, wide});
  EXPECT_NE(width.find("width 2 and '" + wide.path.string() + "' of width 5"), std::string::npos) << width;
  const std::string type = refusal({real, single});
  EXPECT_NE(type.find("type fp64 and '" + single.path.string() + "' of type fp32; --convert"), std::string::npos)
      << type;
  EXPECT_FALSE(fs::exists(directory_ / "merged"));

  MergeOptions options;
  options.convert = at::kFloat;
  // Rounded, the first row is in both.
  EXPECT_EQ(merge({real, single}, "merged", options).duplicates, 1);
  EXPECT_TRUE(diff(made("expected", {{0.1, 1, 0, 3}, {0.2, 2, 0, 3}, {0.3, 2, 0, 4}}, at::kFloat), "merged").equal());
}

TEST_F(MergeBanks, EmptyBanksMakeAnEmptyBank) {
  const SmallRun empty{50, 3, at::kFloat, BankFill::kEmpty, {6}};
  const OpenBank a = saved("a", empty, 0, 2);
  EXPECT_EQ(merge({a, saved("b", empty, 0, 3)}, "merged").manifest.bank().layout.capacity, 100);
  EXPECT_TRUE(diff(a, "merged").equal());
  EXPECT_TRUE(verify_bank(files_, directory_ / "merged", BankMemory(kPlenty)).good());
  // And add nothing to another one.
  const OpenBank some = saved("some", empty, 3, 2);
  merge({a, some}, "more");
  EXPECT_TRUE(diff(some, "more").equal());
}

}  // namespace
}  // namespace negatron

// What is done with bank files whose rows are scored by squared distances.

#include <cmath>

#include <gtest/gtest.h>

#include "runtime/bank_files/bank_info.h"
#include "runtime/bank_files/compare_rows.h"
#include "runtime/bank_files/diff_banks.h"
#include "runtime/bank_files/distance_numbers.h"
#include "runtime/bank_files/extract_rows.h"
#include "runtime/bank_files/import_rows.h"
#include "runtime/bank_files/merge_banks.h"
#include "runtime/bank_files/near_rows.h"
#include "runtime/bank_files/reshard_bank.h"
#include "runtime/bank_files/verify_bank.h"
#include "runtime/matrices/matrix_file.h"
#include "samplers/bank/squared_distance.h"
#include "tests/runtime/bank_files/made_bank.h"
#include "tests/runtime/bank_files/made_matrix.h"
#include "tests/runtime/data/temporary_directory.h"

namespace negatron {
namespace {

using testing::kPlenty;
using testing::MadeRow;

class DistanceBanks : public ::testing::Test {
 protected:
  void make(const std::string& name, const std::vector<MadeRow>& rows, RowLength length = RowLength::kDistance,
            at::ScalarType dtype = at::kFloat) {
    testing::write_made_bank(files_, directory_ / name, rows, 2, 100, dtype, length);
  }
  OpenBank bank(const std::string& name) { return testing::opened(files_, directory_ / name); }
  /// The sentence about the first file that is not as it should be; empty where all are.
  std::string problem_of(const std::string& name) {
    for (const FileVerdict& file : verify_bank(files_, directory_ / name, BankMemory(kPlenty)).files) {
      if (!file.problem.empty()) return file.problem;
    }
    return "";
  }

  /// Lengths 0 to 30, ids, steps.
  const std::vector<MadeRow> rows_{{0.1, 1, 0, 4, 0.0}, {0.2, 2, 1, 4, 30.0}, {0.9, 3, 0, 5, 0.5}, {2.0, 4, 1, 6, 1.0}};
  testing::TemporaryDirectory directory_;
  PosixFileLayer files_;
};

TEST_F(DistanceBanks, AreVerifiedForTheirTwoNumbers) {
  for (const at::ScalarType dtype : {at::kFloat, at::kDouble}) {
    make("good", rows_, RowLength::kDistance, dtype);
    EXPECT_EQ(problem_of("good"), "");
    // As few as its rounding allows, and one number of all.
    const double off = dtype == at::kFloat ? 0.01 : 1e-9;
    std::vector<MadeRow> broken = rows_;
    broken[1].square_off = off;
    make("square", broken, RowLength::kDistance, dtype);
    EXPECT_NE(problem_of("square").find("the key 1 has -4"), std::string::npos) << problem_of("square");
    EXPECT_NE(problem_of("square").find("and not -|n|^2 / 2, which is -4"), std::string::npos);
    broken = rows_;
    broken[3].last = 0.5;
    make("last", broken, RowLength::kDistance, dtype);
    EXPECT_NE(problem_of("last").find("the key 3 has the last number 0.5 and not 1."), std::string::npos);
    for (const char* name : {"good", "square", "last"}) std::filesystem::remove_all(directory_ / name);
  }
}

/// Rows of a run in fp32 that a bank in fp64 took over: they are as exact as they were.
TEST_F(DistanceBanks, MayComeFromRowsOfFewerDigits) {
  const at::Tensor vectors = (at::randn({40, 6}) * 3.0).to(at::kFloat);
  const at::Tensor rows = distance_rows(vectors).to(at::kDouble);
  for (std::int64_t i = 0; i < rows.size(0); ++i) EXPECT_EQ(problem_of_distance_row(rows, i), "") << i;
  const at::Tensor exact = distance_rows((at::randn({40, 6}, at::kDouble) * 3.0));
  EXPECT_EQ(problem_of_distance_row(exact, 7), "");
  exact[7][6] *= 1.0 + 1e-12;
  EXPECT_NE(problem_of_distance_row(exact, 7), "");
}

TEST_F(DistanceBanks, AreDescribedByTheirVectors) {
  make("far", rows_);
  make("raw", rows_, RowLength::kAsMade);
  const BankInfo far = bank_info(bank("far"), {}, BankMemory(kPlenty));
  const BankInfo raw = bank_info(bank("raw"), {}, BankMemory(kPlenty));
  EXPECT_NEAR(far.norm_max, 30.0, 1e-5);
  EXPECT_EQ(far.norm_min, 0.0);
  EXPECT_EQ(far.uniformity, raw.uniformity);
}

TEST_F(DistanceBanks, StayThatWhenTheyAreReshardedAndMerged) {
  make("far", rows_);
  reshard_banks(files_, {bank("far")}, directory_ / "three", 3, BankMemory(kPlenty));
  EXPECT_EQ(bank("three").bank().length, RowLength::kDistance);
  EXPECT_TRUE(diff_banks(bank("far"), bank("three"), BankMemory(kPlenty)).equal());
  EXPECT_EQ(compare_rows(bank("far"), bank("three"), BankMemory(kPlenty)).smallest_cosine, 1.0);
  make("later", {{0.5, 9, 0, 7, 12.0}});
  merge_banks(files_, {bank("far"), bank("later")}, directory_ / "merged", {}, BankMemory(kPlenty));
  EXPECT_EQ(bank("merged").bank().length, RowLength::kDistance);
  EXPECT_EQ(problem_of("three") + problem_of("merged"), "");
  MergeOptions options;
  options.convert = at::kBFloat16;
  const std::string refused = testing::refusal([&] {
    merge_banks(files_, {bank("far"), bank("later")}, directory_ / "never", options, BankMemory(kPlenty));
  });
  EXPECT_NE(refused.find("--convert bf16 keeps too few digits"), std::string::npos) << refused;
}

TEST_F(DistanceBanks, AreNotMixedWithOthers) {
  make("far", rows_);
  make("raw", rows_, RowLength::kAsMade);
  const std::string refused = testing::refusal([&] {
    merge_banks(files_, {bank("far"), bank("raw")}, directory_ / "never", {}, BankMemory(kPlenty));
  });
  EXPECT_NE(refused.find("has rows of length distance and"), std::string::npos) << refused;
  EXPECT_FALSE(diff_banks(bank("far"), bank("raw"), BankMemory(kPlenty)).equal());
  EXPECT_EQ(compare_rows(bank("far"), bank("raw"), BankMemory(kPlenty)).pairs, 0);
}

/// What is written for others are the vectors, and these come back as a bank.
TEST_F(DistanceBanks, AreExtractedAsVectorsAndImportedFromThem) {
  make("far", rows_);
  extract_rows(files_, bank("far"), directory_ / "rows.npy", {0, 1, 2, 3}, BankMemory(kPlenty));
  const auto matrix = open_matrix(files_, directory_ / "rows.npy", {});
  ASSERT_EQ(matrix->columns(), 2);
  ImportOptions options;
  options.distance = true;
  import_rows(files_, *matrix, directory_ / "again", options, BankMemory(kPlenty));
  const OpenBank again = bank("again");
  EXPECT_EQ(again.bank().length, RowLength::kDistance);
  EXPECT_EQ(again.bank().width, 4);
  EXPECT_EQ(problem_of("again"), "");
  const at::Tensor rows = matrix->read_rows(0, 4);
  for_each_block(again, 9, [&](const BankBlock& block) { EXPECT_TRUE(at::equal(block.vectors, distance_rows(rows))); });
  const auto refusal = [&](const ImportOptions& asked) {
    return testing::refusal([&] { import_rows(files_, *matrix, directory_ / "never", asked, BankMemory(kPlenty)); });
  };
  options.dtype = at::kHalf;
  EXPECT_NE(refusal(options).find("--dtype fp16 keeps too few digits"), std::string::npos);
  options.dtype.reset();
  options.normalize = true;
  EXPECT_NE(refusal(options).find("leave one of them out"), std::string::npos);
  options.normalize = false;
  options.raw = true;
  EXPECT_NE(refusal(options).find("leave one of them out"), std::string::npos);
}

TEST_F(DistanceBanks, NearIsWhatIsNearest) {
  make("far", rows_);
  const auto near = [&](const at::Tensor& asked) {
    const NearQueries queries =
        queries_of_matrix(bank("far"), testing::MadeMatrix(asked), {0, 1}, false, BankMemory(kPlenty));
    return near_rows(bank("far"), queries, 4, BankMemory(kPlenty));
  };
  const at::Tensor asked = at::tensor({2.0, 0.0}, at::kDouble).view({1, 2});
  const NearRows found = near(asked);
  // By products it would be the longest row, 2; by distances that is the last.
  EXPECT_TRUE(at::equal(found.ids, at::tensor({3, 1, 4, 2}, at::kLong).view({1, 4}))) << found.ids;
  const double x = 2.0 - 0.5 * std::cos(0.9), y = 0.5 * std::sin(0.9);
  EXPECT_NEAR(found.scores[0][0].item<double>(), -0.5 * (x * x + y * y), 1e-6);
  EXPECT_NEAR(found.scores[0][1].item<double>(), -2.0, 1e-12);
  std::vector<std::int64_t> missing;
  const NearQueries own = queries_of_samples(bank("far"), {2}, BankMemory(kPlenty), missing);
  EXPECT_EQ(own.vectors.size(1), 2);
  // A sample's own rows are passed over; the nearest other one is that of the same direction, most nearly.
  EXPECT_EQ(near_rows(bank("far"), own, 1, BankMemory(kPlenty)).ids[0][0].item<std::int64_t>(), 3);
  const std::string refused = testing::refusal([&] { near(at::ones({1, 4}, at::kDouble)); });
  EXPECT_NE(refused.find("The queries are 4 wide, the vectors, as --embeddings and bank extract write them, of the "
                         "bank 2."),
            std::string::npos)
      << refused;
}

}  // namespace
}  // namespace negatron

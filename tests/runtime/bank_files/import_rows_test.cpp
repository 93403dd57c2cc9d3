#include "runtime/bank_files/import_rows.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "comm/threads/thread_communicator.h"
#include "runtime/bank_files/verify_bank.h"
#include "runtime/snapshots/load_snapshot.h"
#include "tests/runtime/bank_files/made_bank.h"
#include "tests/runtime/bank_files/made_matrix.h"
#include "tests/runtime/data/temporary_directory.h"

namespace negatron {
namespace {

using testing::kPlenty;
using testing::MadeMatrix;
using testing::opened;
using testing::TemporaryDirectory;

class ImportRows : public ::testing::Test {
 protected:
  at::Tensor unit_rows(std::int64_t rows, std::int64_t width) {
    return testing::SmallRun::key_vectors({0, rows}, width);
  }
  std::string refusal(const at::Tensor& values, const ImportOptions& options = {}) {
    return testing::refusal(
        [&] { import_rows(files_, MadeMatrix(values), directory_ / "refused", options, BankMemory(kPlenty)); });
  }
  /// All rows of the bank `name`, oldest first.
  at::Tensor rows_of(const std::string& name) {
    std::vector<at::Tensor> blocks;
    for_each_block(opened(files_, directory_ / name), 5, [&](const BankBlock& block) {
      blocks.push_back(block.vectors.clone());
      EXPECT_TRUE((block.ids == -1).all().item<bool>() && (block.labels == -1).all().item<bool>());
      EXPECT_TRUE((block.steps == -1).all().item<bool>());
    });
    return at::cat(blocks);
  }

  TemporaryDirectory directory_;
  PosixFileLayer files_;
};

TEST_F(ImportRows, InEveryOrientationTypeAndNumberOfRanks) {
  int number = 0;
  for (const at::ScalarType dtype : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16}) {
    const at::Tensor rows = unit_rows(23, 6).to(dtype);
    const at::Tensor across = rows.t().contiguous();
    const auto check = [&](const MadeMatrix& matrix, bool transpose, std::int64_t ranks) {
      ImportOptions options;
      options.transpose = transpose;
      options.batch = 4;
      options.ranks = ranks;
      const std::string name = "bank" + std::to_string(++number);
      import_rows(files_, matrix, directory_ / name, options, BankMemory(kPlenty));
      EXPECT_TRUE(at::equal(rows_of(name), rows)) << name;
      EXPECT_TRUE(verify_bank(files_, directory_ / name, BankMemory(kPlenty)).good());
    };
    check(MadeMatrix(rows), false, 1);
    check(MadeMatrix(across), true, 3);         // torch's queue
    check(MadeMatrix(across, true), false, 2);  // Fortran order
    check(MadeMatrix(rows, true), true, 7);     // both
  }
}

TEST_F(ImportRows, TheOldestRowIsTheOneToBeOverwrittenFirst) {
  const at::Tensor rows = unit_rows(23, 6);
  ImportOptions options;
  options.oldest = 9;
  options.batch = 4;
  options.ranks = 2;
  import_rows(files_, MadeMatrix(rows), directory_ / "bank", options, BankMemory(kPlenty));
  EXPECT_TRUE(at::equal(rows_of("bank"), rows.roll(-9, 0)));
}

TEST_F(ImportRows, ARunStartsFromIt) {
  const at::Tensor rows = unit_rows(23, 6).to(at::kFloat);
  ImportOptions options;
  options.rows = 30;
  options.batch = 8;
  import_rows(files_, MadeMatrix(rows), directory_ / "bank", options, BankMemory(kPlenty));
  run_ranks(3, {}, [&](Communicator& comm) {
    const Snapshot snapshot = open_snapshot(comm, files_, directory_ / "bank", {});
    Bank bank({30, 6, at::kFloat, at::kCPU, BankFill::kEmpty, 0, 8}, comm.rank(), comm.size());
    load_bank(snapshot, bank, {});
    EXPECT_EQ(bank.filled(), 23);
    std::int64_t held = 0;
    for (std::int64_t slot = 0; slot < 23; ++slot) {
      const BankPlace place = bank.layout().place_of(slot).value();
      if (place.rank != comm.rank()) continue;
      EXPECT_TRUE(at::equal(bank.shard().rows.vectors[place.row], rows[slot]));
      ++held;
    }
    EXPECT_GT(held, 0);
  });
}

TEST_F(ImportRows, NormalizingKeepsDirectionsAndNeverOverflows) {
  at::Tensor rows = unit_rows(5, 6);
  const at::Tensor scaled = rows * at::tensor({1.0, 3.0, 1e-300, 1e300, 0.5}, at::kDouble).unsqueeze(1);
  ImportOptions options;
  options.normalize = true;
  options.dtype = at::kFloat;
  import_rows(files_, MadeMatrix(scaled), directory_ / "bank", options, BankMemory(kPlenty));
  EXPECT_TRUE(at::allclose(rows_of("bank").to(at::kDouble), rows, 0.0, 1e-7));
  at::Tensor zero = rows.clone();
  zero[3].zero_();
  EXPECT_NE(refusal(zero, options).find("usage: Row 3 of the file is zero"), std::string::npos);
}

TEST_F(ImportRows, RefusesWithTheRowAndMakesNothing) {
  at::Tensor rows = unit_rows(23, 6).to(at::kFloat);
  const auto with = [&](std::int64_t row, std::int64_t column, double value) {
    at::Tensor changed = rows.clone();
    changed[row][column] = value;
    return changed;
  };
  for (const double value : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    EXPECT_NE(refusal(with(17, 2, value)).find("usage: Row 17 of the file holds a number that is not finite"),
              std::string::npos);
  }
  EXPECT_NE(refusal(with(4, 0, 2.0)).find("usage: Row 4 of the file has norm 2."), std::string::npos);
  EXPECT_NE(refusal(rows.t().contiguous()).find("--transpose"), std::string::npos);
  ImportOptions options;
  options.rows = 22;
  EXPECT_NE(refusal(rows, options).find("--rows 22 is less than the 23 rows"), std::string::npos);
  options = {};
  options.oldest = 23;
  EXPECT_NE(refusal(rows, options).find("--oldest 23"), std::string::npos);
  options = {};
  options.batch = 0;
  EXPECT_NE(refusal(rows, options).find("--batch"), std::string::npos);
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path()));
}

}  // namespace
}  // namespace negatron

#include <gtest/gtest.h>

#include <fstream>

#include "runtime/bank_files/bank_info.h"
#include "runtime/bank_files/diff_banks.h"
#include "runtime/bank_files/extract_rows.h"
#include "runtime/bank_files/import_rows.h"
#include "runtime/bank_files/merge_banks.h"
#include "runtime/bank_files/reshard_bank.h"
#include "runtime/bank_files/verify_bank.h"
#include "runtime/bank_files/write_bank.h"
#include "tests/runtime/bank_files/made_bank.h"
#include "tests/runtime/data/temporary_directory.h"

namespace negatron {
namespace {

namespace fs = std::filesystem;
using testing::opened;
using testing::TemporaryDirectory;

constexpr std::int64_t kMiB = std::int64_t{1} << 20;

std::int64_t status_bytes(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::int64_t kib = 0;
    if (word == field + ":" && status >> kib) return kib << 10;
  }
  return 0;
}

/// How far `act` raises the memory of this process at its highest, or nothing where the kernel does not tell.
std::optional<std::int64_t> extra_memory(const std::function<void()>& act) {
  {
    // Sets the highest back to now.
    std::ofstream reset("/proc/self/clear_refs");
    if (!(reset << "5" << std::flush)) return std::nullopt;
  }
  const std::int64_t before = status_bytes("VmHWM");
  act();
  return status_bytes("VmHWM") - before;
}

/// 64 MiB of fp32 rows of width 64, each the axis of its number.
constexpr std::int64_t kRows = std::int64_t{1} << 18;
constexpr std::int64_t kWidth = 64;

NewBank large_bank() {
  NewBank bank;
  bank.step = 1000;
  constexpr std::int64_t kBatch = 512;
  bank.bank.layout = {kRows, kRows / kBatch, kBatch, kRows, kRows / kBatch, {}};
  for (std::int64_t i = 0; i < kRows / kBatch; ++i) bank.bank.layout.batches.push_back({i, i * kBatch, kBatch, i});
  bank.bank.shards = 4;
  bank.bank.width = kWidth;
  return bank;
}

BankBlock large_rows(Range keys) {
  const at::Tensor number = at::arange(keys.begin, keys.end, at::kLong);
  at::Tensor vectors = at::zeros({keys.size(), kWidth});
  vectors.scatter_(1, number.remainder(kWidth).unsqueeze(1), 1.0);
  return {vectors, number, number.remainder(10), {}, {}};
}

TEST(BankMemoryBound, EveryOperationStaysUnderItOnABankManyTimesLarger) {
  const TemporaryDirectory directory;
  PosixFileLayer files;
  write_bank(files, directory / "bank", large_bank(), large_rows, 4096);
  const OpenBank bank = opened(files, directory / "bank");
  // Numbers of the rows of one file take 2 MiB on 4 ranks and 8 MiB on one.
  const std::int64_t bound = 16 * kMiB;
  // What libraries keep, and pages of programs seen for the first time.
  const std::int64_t slack = 12 * kMiB;
  const BankMemory memory(bound);
  const auto expect_bounded = [&](const char* name, const std::function<void()>& act) {
    const std::optional<std::int64_t> extra = extra_memory(act);
    if (!extra) GTEST_SKIP() << "/proc/self/clear_refs cannot be written here";
    EXPECT_LT(*extra, bound + slack) << name << " took " << *extra / kMiB << " MiB";
  };
  expect_bounded("info", [&] { EXPECT_EQ(bank_info(bank, {}, memory).labels.size(), 10U); });
  expect_bounded("verify", [&] { EXPECT_TRUE(verify_bank(files, bank.path, memory).good()); });
  expect_bounded("reshard", [&] { reshard_banks(files, {bank}, directory / "one", 1, memory); });
  expect_bounded("diff", [&] { EXPECT_TRUE(diff_banks(bank, opened(files, directory / "one"), memory).equal()); });
  expect_bounded("merge", [&] {
    MergeOptions options;
    options.rows = kRows;
    options.ranks = 2;
    EXPECT_EQ(merge_banks(files, {bank, bank}, directory / "two", options, memory).duplicates, kRows);
  });
  expect_bounded("extract", [&] {
    extract_rows(files, bank, directory / "rows.h5", keys_in(bank, {0, kRows / 2}, memory), memory);
  });
  expect_bounded("import", [&] {
    ImportOptions options;
    options.ranks = 2;
    import_rows(files, *open_matrix(files, directory / "rows.h5", {.name = "rows"}), directory / "three", options,
                memory);
  });
}

TEST(BankMemoryBound, TooLittleIsRefusedWithWhatItTakes) {
  const TemporaryDirectory directory;
  PosixFileLayer files;
  write_bank(files, directory / "bank", large_bank(), large_rows, 4096);
  const OpenBank bank = opened(files, directory / "bank");
  const std::string refusal =
      testing::refusal([&] { reshard_banks(files, {bank}, directory / "one", 1, BankMemory(8 * kMiB)); });
  EXPECT_NE(refusal.find("usage: This needs --memory 9 (MiB) for ids, labels and steps of the 262144 rows"),
            std::string::npos)
      << refusal;
  EXPECT_FALSE(fs::exists(directory / "one"));
}

}  // namespace
}  // namespace negatron

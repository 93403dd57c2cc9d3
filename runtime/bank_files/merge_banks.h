#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "runtime/bank_files/open_bank.h"

namespace negatron {

struct MergeOptions {
  /// K of the result; the newest keys survive. 0: the capacities' sum.
  std::int64_t rows = 0;
  std::int64_t ranks = 1;
  /// Rows of other types are rounded to this one; nothing: all banks must have one type.
  std::optional<at::ScalarType> convert;
};

struct MergeResult {
  Manifest manifest;
  std::int64_t rows_read = 0;
  /// Rows that another bank, or the same one, holds too (id, step, vector): kept once.
  std::int64_t duplicates = 0;
  /// Rows that were too old for --rows.
  std::int64_t dropped = 0;
};

/// Writes the union of banks as a bank without a trainer: rows in the order of their steps, those of one step bank by
/// bank, beginning with the one that reaches back furthest, so that two times of one run give a longer bank of that run
/// (a bank's oldest batch has mostly lost its first rows, which the other one still has). Rows of step -1 (random or
/// imported ones) are the oldest. Its step is the highest of the banks'. Local. Throws std::invalid_argument that names
/// both when widths or lengths differ, or types without `convert`; as write_bank otherwise.
MergeResult merge_banks(FileLayer& files, const std::vector<OpenBank>& banks, const std::filesystem::path& out,
                        const MergeOptions& options, BankMemory memory);

}  // namespace negatron
